// Every call by everybody: who is answered, who is told that there is nothing, who is refused. Abuse test 12 of
// docs/hardening.md (first of all: later tests send agencies away); for statements it is tests/core/ledger/lifecycle_test.cc.
#include "tests/broker/net_fixture.h"

namespace valija::test {
namespace {

using grpc::StatusCode;

class NetRoles : public NetTest {
 protected:
  struct Rpc {
    const char* name;
    std::function<StatusCode(v1::Exchange::Stub&, grpc::ClientContext&)> call;
  };
  Digest record_ = Send(kForDea);  // by mx.fgr/omar for us.dea

  template <class Request>
  Request OfRecord() const {
    Request request;
    const auto bytes = AsText(record_.bytes);
    if constexpr (requires { request.set_record(std::string()); }) request.set_record(std::string(bytes));
    if constexpr (requires { request.set_statement(std::string()); }) request.set_statement(std::string(bytes));
    return request;
  }

  std::vector<Rpc> Rpcs() const {
    using Stub = v1::Exchange::Stub;
    using Context = grpc::ClientContext;
    return {
        // An empty one: whoever comes so far is told that it is malformed.
        {"Post",
         [](Stub& stub, Context& context) {
           v1::PostResponse out;
           return stub.Post(&context, v1::PostRequest(), &out).error_code();
         }},
        {"Upload",
         [](Stub& stub, Context& context) {
           auto stream = stub.Upload(&context);
           stream->Write(v1::UploadChunk());
           v1::UploadProgress got;
           while (stream->Read(&got)) continue;
           return stream->Finish().error_code();
         }},
        {"Download",
         [this](Stub& stub, Context& context) {
           auto stream = stub.Download(&context, OfRecord<v1::DownloadRequest>());
           v1::DownloadChunk got;
           while (stream->Read(&got)) continue;
           return stream->Finish().error_code();
         }},
        {"Follow",
         [](Stub& stub, Context& context) {
           auto stream = stub.Follow(&context, v1::FollowRequest());
           v1::MailItem got;
           const bool some = stream->Read(&got);
           if (some) context.TryCancel();  // it would go on for ever
           while (stream->Read(&got)) continue;
           const auto ended = stream->Finish().error_code();
           return some ? StatusCode::OK : ended;
         }},
        {"Mailbox",
         [](Stub& stub, Context& context) {
           v1::MailPage out;
           return stub.Mailbox(&context, v1::FollowRequest(), &out).error_code();
         }},
        {"GetRecord",
         [this](Stub& stub, Context& context) {
           v1::EntryPage out;
           return stub.GetRecord(&context, OfRecord<v1::RecordRequest>(), &out).error_code();
         }},
        {"Custody",
         [this](Stub& stub, Context& context) {
           v1::EntryPage out;
           return stub.Custody(&context, OfRecord<v1::RecordRequest>(), &out).error_code();
         }},
        {"Directory",
         [](Stub& stub, Context& context) {
           v1::EntryPage out;
           return stub.Directory(&context, v1::DirectoryRequest(), &out).error_code();
         }},
        {"GetReceipt",
         [this](Stub& stub, Context& context) {
           v1::ReceiptAnswer out;
           return stub.GetReceipt(&context, OfRecord<v1::ReceiptRequest>(), &out).error_code();
         }},
        {"Waiting",
         [](Stub& stub, Context& context) {
           v1::WaitingAnswer out;
           return stub.Waiting(&context, v1::WaitingRequest(), &out).error_code();
         }},
        {"GetCheckpoint",
         [](Stub& stub, Context& context) {
           v1::View out;
           return stub.GetCheckpoint(&context, v1::CheckpointRequest(), &out).error_code();
         }},
        {"GetTile",
         [](Stub& stub, Context& context) {
           v1::TileRequest request;
           request.set_path("tile/0/000.p/1");
           v1::TileAnswer out;
           return stub.GetTile(&context, request, &out).error_code();
         }},
        // Without a look-up of the caller's.
        {"Entries",
         [](Stub& stub, Context& context) {
           auto stream = stub.Entries(&context, v1::EntriesRequest());
           v1::LoggedEntry got;
           while (stream->Read(&got)) continue;
           return stream->Finish().error_code();
         }},
    };
  }
  void ExpectRow(const std::string& who, const std::shared_ptr<grpc::Channel>& channel,
                 const std::function<StatusCode(const std::string& rpc)>& expected) {
    const auto stub = v1::Exchange::NewStub(channel);
    for (const auto& rpc : Rpcs()) {
      grpc::ClientContext context;
      SetDeadline(context);
      EXPECT_EQ(rpc.call(*stub, context), expected(rpc.name)) << rpc.name << " by " << who;
    }
  }
};

TEST_F(NetRoles, EveryCallByEveryMemberIsAnsweredAsTheTableSays) {
  enum What { kAnswered, kMalformed, kNothing, kDenied, kNotYet };
  static constexpr StatusCode kCodes[] = {StatusCode::OK, StatusCode::INVALID_ARGUMENT, StatusCode::NOT_FOUND,
                                          StatusCode::PERMISSION_DENIED, StatusCode::FAILED_PRECONDITION};
  // Of the record that mx.fgr/omar sent to us.dea. What is not here is answered to every member.
  struct Row {
    const char* member;
    What download, record, custody, receipt, entries;
  };
  // And something in the mailboxes of the others.
  Send(kForUif, {"mx.uif"});
  Send("marking TLP:GREEN\nreleasable-to agency us.cbp\npurpose analysis\ncase optional\nexpires 2036-01-01\n",
       {"us.cbp"});
  const Row rows[] = {
      {"mx.fgr/omar", kAnswered, kAnswered, kAnswered, kAnswered, kDenied},       // its author
      {"mx.fgr/alicia", kAnswered, kAnswered, kAnswered, kNothing, kDenied},      // an administrator of its agency
      {"mx.fgr/contralora", kAnswered, kAnswered, kAnswered, kNothing, kNotYet},  // a joint auditor, of its agency
      {"us.dea/jrivera", kAnswered, kAnswered, kAnswered, kNothing, kDenied},     // whom it was sent to
      {"us.dea/karen", kAnswered, kAnswered, kAnswered, kNothing, kDenied},       // an administrator there
      {"mx.uif/beatriz", kNothing, kNothing, kNothing, kNothing, kDenied},        // an administrator elsewhere
      {"us.cbp/vera", kNothing, kNothing, kNothing, kNothing, kNotYet},           // an auditor elsewhere
  };
  for (const auto& row : rows)
    ExpectRow(row.member, world_.ChannelOf(Member(row.member)), [&](const std::string& rpc) {
      if (rpc == "Post" || rpc == "Upload") return kCodes[kMalformed];
      if (rpc == "Download") return kCodes[row.download];
      if (rpc == "GetRecord") return kCodes[row.record];
      if (rpc == "Custody") return kCodes[row.custody];
      if (rpc == "GetReceipt") return kCodes[row.receipt];
      if (rpc == "Entries") return kCodes[row.entries];
      return StatusCode::OK;
    });
}

TEST_F(NetRoles, NoCallIsAnsweredToWhoIsNoMember) {
  const auto key = LiveWorld::KeyPem(*Member("mx.fgr/omar").keys);
  for (const char* name : {"foreign", "other-member", "two-names"})
    ExpectRow(name, world_.Channel(world_.Attack(name + std::string(".pem")), key),
              [](const auto&) { return StatusCode::UNAUTHENTICATED; });
  ExpectRow("nobody", world_.Channel("", ""), [](const auto&) { return StatusCode::UNAVAILABLE; });
}

}  // namespace
}  // namespace valija::test
