// SPDX-License-Identifier: Apache-2.0
#include "net/tls_context.hpp"

#include <memory>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

namespace bw::net {
namespace {

template <auto kFree>
struct Free {
  void operator()(auto* thing) const { kFree(thing); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, Free<X509_free>>;

// No certificate chain of ours is near this.
constexpr long kPeerCertificateBytes = 8192;

tl::unexpected<Error> openssl_failed(std::string_view what) {
  return fail(ErrorCode::kInternal, "TLS: OpenSSL cannot {}: {}", what, take_tls_error());
}

// AES-128-GCM first: the fastest where the processor helps, and as strong as the P-256 and X25519
// exchanges in front of it.
bool restrict(SSL_CTX& context) {
  SSL_CTX_set_options(&context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
  // An idle connection keeps none of OpenSSL's two 17 KiB buffers.
  SSL_CTX_set_mode(&context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_max_cert_list(&context, kPeerCertificateBytes);
  // Either side takes any certificate: it proves nothing and need not. Trust comes from the
  // handshake above, in which both ends sign the exporter of this very connection with their entity
  // keys; who sits in the middle has two connections with two exporters.
  SSL_CTX_set_verify(&context, SSL_VERIFY_NONE, nullptr);
  return SSL_CTX_set_min_proto_version(&context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(&context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_num_tickets(&context, 0) == 1 &&
         SSL_CTX_set1_groups_list(&context, "X25519:P-256") == 1 &&
         SSL_CTX_set_ciphersuites(&context,
                                  "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:"
                                  "TLS_AES_256_GCM_SHA384") == 1;
}

// Says nothing about its owner: no name, no dates (RFC 5280 4.1.2.5: 99991231235959Z is "no
// expiry").
CertificatePtr make_certificate(EVP_PKEY& key) {
  CertificatePtr certificate(X509_new());
  if (!certificate) return nullptr;
  X509& x509 = *certificate;
  const bool made = X509_set_version(&x509, X509_VERSION_3) == 1 &&
                    ASN1_INTEGER_set(X509_get_serialNumber(&x509), 1) == 1 &&
                    ASN1_TIME_set_string(X509_getm_notBefore(&x509), "20000101000000Z") == 1 &&
                    ASN1_TIME_set_string(X509_getm_notAfter(&x509), "99991231235959Z") == 1 &&
                    X509_set_pubkey(&x509, &key) == 1 && X509_sign(&x509, &key, EVP_sha256()) > 0;
  return made ? std::move(certificate) : nullptr;
}

Result<ContextPtr> make_context(TlsSide side) {
  ContextPtr context(
      SSL_CTX_new(side == TlsSide::kServer ? TLS_server_method() : TLS_client_method()));
  if (!context || !restrict(*context)) return openssl_failed("be set to TLS 1.3");
  if (side == TlsSide::kClient) return context;

  const KeyPtr key(EVP_EC_gen("P-256"));
  if (!key) return openssl_failed("make a P-256 key");
  const CertificatePtr certificate = make_certificate(*key);
  if (!certificate || SSL_CTX_use_certificate(context.get(), certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) {
    return openssl_failed("make a certificate");
  }
  return context;
}

Result<SSL_CTX*> borrow(const Result<ContextPtr>& context) {
  if (!context) return tl::unexpected(context.error());
  return context->get();
}

}  // namespace

Result<SSL_CTX*> tls_context(TlsSide side) {
  if (side == TlsSide::kServer) {
    static const Result<ContextPtr> server = make_context(TlsSide::kServer);
    return borrow(server);
  }
  static const Result<ContextPtr> client = make_context(TlsSide::kClient);
  return borrow(client);
}

std::string take_tls_error() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason != nullptr ? reason : "no reason given";
}

}  // namespace bw::net
