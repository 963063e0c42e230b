// Loaded before OpenSSL (LD_PRELOAD): nothing that was tied to an SSL is found again.
extern "C" void* SSL_get_ex_data(const void*, int) { return nullptr; }
