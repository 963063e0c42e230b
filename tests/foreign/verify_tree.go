// verify_tree FOLDER VKEY [FORMER-CHECKPOINT]: verifies a log's public side, as files, with golang.org/x/mod/sumdb/{note,tlog} alone:
// the checkpoint's signature, every file, every entry's hash, an inclusion proof of every entry and a consistency proof from every
// smaller size (of a large log: every 97th), and consistency with the former checkpoint. It knows nothing of Valija; what differs from Go's own logs is in `tiles` below.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error, what string, words ...interface{}) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "verify_tree: "+what+": %v\n", append(words, err)...)
		os.Exit(1)
	}
}

func wrong(what string, words ...interface{}) { check(fmt.Errorf("it does not hold"), what, words...) }

// The tree that a signed checkpoint names. tlog.ParseTree reads go.sum's own notes alone.
func open(path string, verifier note.Verifier) tlog.Tree {
	text, err := os.ReadFile(path)
	check(err, "checkpoint")
	opened, err := note.Open(text, note.VerifierList(verifier))
	check(err, "checkpoint's signature")
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		wrong("checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err, "checkpoint's size")
	root, err := base64.StdEncoding.DecodeString(lines[2])
	check(err, "checkpoint's root")
	var hash tlog.Hash
	if copy(hash[:], root) != tlog.HashSize || len(root) != tlog.HashSize {
		wrong("checkpoint's root")
	}
	return tlog.Tree{N: size, Hash: hash}
}

// C2SP tlog-tiles has no height in its paths: it is always 8.
type tiles struct {
	folder string
	read   map[string]bool
}

func (t *tiles) Height() int                             { return 8 }
func (t *tiles) SaveTiles(which []tlog.Tile, _ [][]byte) {}
func (t *tiles) ReadTiles(which []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range which {
		path := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		content, err := os.ReadFile(filepath.Join(t.folder, path))
		if err != nil {
			return nil, err
		}
		t.read[path] = true
		out = append(out, content)
	}
	return out, nil
}

// A bundle: u16 length and the entry, 256 times or as often as the log is long.
func (t *tiles) entries(n int64, width int64) [][]byte {
	path := "tile/entries/" + strings.TrimPrefix(tlog.Tile{H: 8, L: 0, N: n, W: int(width)}.Path(), "tile/8/0/")
	content, err := os.ReadFile(filepath.Join(t.folder, path))
	check(err, "bundle")
	t.read[path] = true
	var out [][]byte
	for len(content) > 0 {
		if len(content) < 2 || len(content) < 2+int(binary.BigEndian.Uint16(content)) {
			wrong("%s: cut short", path)
		}
		length := int(binary.BigEndian.Uint16(content))
		out = append(out, content[2:2+length])
		content = content[2+length:]
	}
	if int64(len(out)) != width {
		wrong("%s: %d entries", path, len(out))
	}
	return out
}

func main() {
	if len(os.Args) != 3 && len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "verify_tree FOLDER VKEY [FORMER-CHECKPOINT]")
		os.Exit(2)
	}
	folder := os.Args[1]
	verifier, err := note.NewVerifier(os.Args[2])
	check(err, "verifier key")
	tree := open(filepath.Join(folder, "checkpoint"), verifier)
	files := &tiles{folder, map[string]bool{}}
	reader := tlog.TileHashReader(tree, files)

	// Every hash of every level that tiles hold: the reader verifies what it reads against the root.
	for level := 0; level < 8; level++ {
		count := tree.N >> (8 * uint(level))
		for first := int64(0); first < count; first += 256 {
			var wanted []int64
			for i := first; i < first+256 && i < count; i++ {
				wanted = append(wanted, tlog.StoredHashIndex(8*level, i))
			}
			hashes, err := reader.ReadHashes(wanted)
			check(err, "tiles of level %d at %d", level, first)
			// The file itself, as wide as this size calls for: a reader may ask for other tiles of the same hashes.
			shown, err := files.ReadTiles([]tlog.Tile{{H: 8, L: level, N: first / 256, W: len(wanted)}})
			check(err, "tile of level %d at %d", level, first)
			var expected []byte
			for _, hash := range hashes {
				expected = append(expected, hash[:]...)
			}
			if !bytes.Equal(shown[0], expected) {
				wrong("tile of level %d at %d", level, first)
			}
			if level > 0 {
				continue
			}
			for i, entry := range files.entries(first/256, int64(len(wanted))) {
				if tlog.RecordHash(entry) != hashes[i] {
					wrong("entry %d", first+int64(i))
				}
			}
		}
	}
	for size := int64(1); size <= tree.N; size++ {
		if tree.N > 2000 && size%97 != 0 && size != tree.N {
			continue
		}
		index := size - 1
		leaf, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		check(err, "entry %d", index)
		inclusion, err := tlog.ProveRecord(tree.N, index, reader)
		check(err, "inclusion of %d", index)
		check(tlog.CheckRecord(inclusion, tree.N, tree.Hash, index, leaf[0]), "inclusion of %d", index)
		root, err := tlog.TreeHash(size, reader)
		check(err, "tree of %d", size)
		growth, err := tlog.ProveTree(tree.N, size, reader)
		check(err, "consistency from %d", size)
		check(tlog.CheckTree(growth, tree.N, tree.Hash, size, root), "consistency from %d", size)
	}
	if len(os.Args) == 4 {
		before := open(os.Args[3], verifier)
		if before.N > tree.N {
			wrong("it had %d entries, and has %d", before.N, tree.N)
		}
		growth, err := tlog.ProveTree(tree.N, before.N, reader)
		check(err, "consistency with the former checkpoint")
		check(tlog.CheckTree(growth, tree.N, tree.Hash, before.N, before.Hash), "consistency with the former checkpoint")
	}
	// And no file more.
	check(filepath.Walk(filepath.Join(folder, "tile"), func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			below, _ := filepath.Rel(folder, path)
			if !files.read[filepath.ToSlash(below)] {
				return fmt.Errorf("%s is not of this tree", below)
			}
		}
		return err
	}), "files")
	fmt.Printf("%s: %d entries, %d files: signature, hashes, proofs hold\n", verifier.Name(), tree.N, len(files.read))
}
