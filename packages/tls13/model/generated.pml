/* What the code says, in Promela: made by generate.ts from handshake/transitions.ts and from handshakes that the code has run.
   `npx vitest run packages/tls13/tests/model.test.ts -u` writes it anew. */

/* ---- The messages and states of the tables. */

mtype = { server_hello, encrypted_extensions, certificate_request, certificate, compressed_certificate, certificate_verify, finished, new_session_ticket, key_update, client_hello, end_of_early_data };
mtype = { START, WAIT_SH, WAIT_EE, WAIT_FINISHED, WAIT_CERT_CR, WAIT_CERT, WAIT_CV, CONNECTED, WAIT_EOED };

/* ---- The client's table. A row that tls13.pml says no condition of may always be taken. */

#define CLIENT_BEGINS WAIT_SH
#define CLIENT_ACCEPTS(here, came) ( \
  (here == WAIT_SH && came == server_hello) || \
  (here == WAIT_EE && came == encrypted_extensions) || \
  (here == WAIT_CERT_CR && came == certificate_request) || \
  (here == WAIT_CERT_CR && came == certificate) || \
  (here == WAIT_CERT_CR && came == compressed_certificate) || \
  (here == WAIT_CERT && came == certificate) || \
  (here == WAIT_CERT && came == compressed_certificate) || \
  (here == WAIT_CV && came == certificate_verify) || \
  (here == WAIT_FINISHED && came == finished) || \
  (here == CONNECTED && came == new_session_ticket) || \
  (here == CONNECTED && came == key_update) || \
  (here == CONNECTED && came == certificate_request)) \

#ifndef WHEN_client_WAIT_SH_server_hello_WAIT_SH
#define WHEN_client_WAIT_SH_server_hello_WAIT_SH true
#endif
#ifndef WHEN_client_WAIT_SH_server_hello_WAIT_EE
#define WHEN_client_WAIT_SH_server_hello_WAIT_EE true
#endif
#ifndef WHEN_client_WAIT_EE_encrypted_extensions_WAIT_FINISHED
#define WHEN_client_WAIT_EE_encrypted_extensions_WAIT_FINISHED true
#endif
#ifndef WHEN_client_WAIT_EE_encrypted_extensions_WAIT_CERT_CR
#define WHEN_client_WAIT_EE_encrypted_extensions_WAIT_CERT_CR true
#endif
#ifndef WHEN_client_WAIT_CERT_CR_certificate_request_WAIT_CERT
#define WHEN_client_WAIT_CERT_CR_certificate_request_WAIT_CERT true
#endif
#ifndef WHEN_client_WAIT_CERT_CR_certificate_WAIT_CV
#define WHEN_client_WAIT_CERT_CR_certificate_WAIT_CV true
#endif
#ifndef WHEN_client_WAIT_CERT_CR_compressed_certificate_WAIT_CV
#define WHEN_client_WAIT_CERT_CR_compressed_certificate_WAIT_CV true
#endif
#ifndef WHEN_client_WAIT_CERT_certificate_WAIT_CV
#define WHEN_client_WAIT_CERT_certificate_WAIT_CV true
#endif
#ifndef WHEN_client_WAIT_CERT_compressed_certificate_WAIT_CV
#define WHEN_client_WAIT_CERT_compressed_certificate_WAIT_CV true
#endif
#ifndef WHEN_client_WAIT_CV_certificate_verify_WAIT_FINISHED
#define WHEN_client_WAIT_CV_certificate_verify_WAIT_FINISHED true
#endif
#ifndef WHEN_client_WAIT_FINISHED_finished_CONNECTED
#define WHEN_client_WAIT_FINISHED_finished_CONNECTED true
#endif
#ifndef WHEN_client_CONNECTED_new_session_ticket_CONNECTED
#define WHEN_client_CONNECTED_new_session_ticket_CONNECTED true
#endif
#ifndef WHEN_client_CONNECTED_key_update_CONNECTED
#define WHEN_client_CONNECTED_key_update_CONNECTED true
#endif
#ifndef WHEN_client_CONNECTED_certificate_request_CONNECTED
#define WHEN_client_CONNECTED_certificate_request_CONNECTED true
#endif
inline client_goes_on(here, came, there) {
  if
  :: here == WAIT_SH && came == server_hello && (WHEN_client_WAIT_SH_server_hello_WAIT_SH) -> there = WAIT_SH
  :: here == WAIT_SH && came == server_hello && (WHEN_client_WAIT_SH_server_hello_WAIT_EE) -> there = WAIT_EE
  :: here == WAIT_EE && came == encrypted_extensions && (WHEN_client_WAIT_EE_encrypted_extensions_WAIT_FINISHED) -> there = WAIT_FINISHED
  :: here == WAIT_EE && came == encrypted_extensions && (WHEN_client_WAIT_EE_encrypted_extensions_WAIT_CERT_CR) -> there = WAIT_CERT_CR
  :: here == WAIT_CERT_CR && came == certificate_request && (WHEN_client_WAIT_CERT_CR_certificate_request_WAIT_CERT) -> there = WAIT_CERT
  :: here == WAIT_CERT_CR && came == certificate && (WHEN_client_WAIT_CERT_CR_certificate_WAIT_CV) -> there = WAIT_CV
  :: here == WAIT_CERT_CR && came == compressed_certificate && (WHEN_client_WAIT_CERT_CR_compressed_certificate_WAIT_CV) -> there = WAIT_CV
  :: here == WAIT_CERT && came == certificate && (WHEN_client_WAIT_CERT_certificate_WAIT_CV) -> there = WAIT_CV
  :: here == WAIT_CERT && came == compressed_certificate && (WHEN_client_WAIT_CERT_compressed_certificate_WAIT_CV) -> there = WAIT_CV
  :: here == WAIT_CV && came == certificate_verify && (WHEN_client_WAIT_CV_certificate_verify_WAIT_FINISHED) -> there = WAIT_FINISHED
  :: here == WAIT_FINISHED && came == finished && (WHEN_client_WAIT_FINISHED_finished_CONNECTED) -> there = CONNECTED
  :: here == CONNECTED && came == new_session_ticket && (WHEN_client_CONNECTED_new_session_ticket_CONNECTED) -> there = CONNECTED
  :: here == CONNECTED && came == key_update && (WHEN_client_CONNECTED_key_update_CONNECTED) -> there = CONNECTED
  :: here == CONNECTED && came == certificate_request && (WHEN_client_CONNECTED_certificate_request_CONNECTED) -> there = CONNECTED
  :: else -> there = 0
  fi
}

/* ---- The server's table. A row that tls13.pml says no condition of may always be taken. */

#define SERVER_ACCEPTS(here, came) ( \
  (here == START && came == client_hello) || \
  (here == WAIT_EOED && came == end_of_early_data) || \
  (here == WAIT_CERT && came == certificate) || \
  (here == WAIT_CERT && came == compressed_certificate) || \
  (here == WAIT_CV && came == certificate_verify) || \
  (here == WAIT_FINISHED && came == finished) || \
  (here == CONNECTED && came == key_update) || \
  (here == CONNECTED && came == certificate) || \
  (here == CONNECTED && came == compressed_certificate) || \
  (here == CONNECTED && came == certificate_verify) || \
  (here == CONNECTED && came == finished)) \

#ifndef WHEN_server_START_client_hello_START
#define WHEN_server_START_client_hello_START true
#endif
#ifndef WHEN_server_START_client_hello_WAIT_EOED
#define WHEN_server_START_client_hello_WAIT_EOED true
#endif
#ifndef WHEN_server_START_client_hello_WAIT_CERT
#define WHEN_server_START_client_hello_WAIT_CERT true
#endif
#ifndef WHEN_server_START_client_hello_WAIT_FINISHED
#define WHEN_server_START_client_hello_WAIT_FINISHED true
#endif
#ifndef WHEN_server_WAIT_EOED_end_of_early_data_WAIT_FINISHED
#define WHEN_server_WAIT_EOED_end_of_early_data_WAIT_FINISHED true
#endif
#ifndef WHEN_server_WAIT_CERT_certificate_WAIT_FINISHED
#define WHEN_server_WAIT_CERT_certificate_WAIT_FINISHED true
#endif
#ifndef WHEN_server_WAIT_CERT_certificate_WAIT_CV
#define WHEN_server_WAIT_CERT_certificate_WAIT_CV true
#endif
#ifndef WHEN_server_WAIT_CERT_compressed_certificate_WAIT_FINISHED
#define WHEN_server_WAIT_CERT_compressed_certificate_WAIT_FINISHED true
#endif
#ifndef WHEN_server_WAIT_CERT_compressed_certificate_WAIT_CV
#define WHEN_server_WAIT_CERT_compressed_certificate_WAIT_CV true
#endif
#ifndef WHEN_server_WAIT_CV_certificate_verify_WAIT_FINISHED
#define WHEN_server_WAIT_CV_certificate_verify_WAIT_FINISHED true
#endif
#ifndef WHEN_server_WAIT_FINISHED_finished_CONNECTED
#define WHEN_server_WAIT_FINISHED_finished_CONNECTED true
#endif
#ifndef WHEN_server_CONNECTED_key_update_CONNECTED
#define WHEN_server_CONNECTED_key_update_CONNECTED true
#endif
#ifndef WHEN_server_CONNECTED_certificate_CONNECTED
#define WHEN_server_CONNECTED_certificate_CONNECTED true
#endif
#ifndef WHEN_server_CONNECTED_compressed_certificate_CONNECTED
#define WHEN_server_CONNECTED_compressed_certificate_CONNECTED true
#endif
#ifndef WHEN_server_CONNECTED_certificate_verify_CONNECTED
#define WHEN_server_CONNECTED_certificate_verify_CONNECTED true
#endif
#ifndef WHEN_server_CONNECTED_finished_CONNECTED
#define WHEN_server_CONNECTED_finished_CONNECTED true
#endif
inline server_goes_on(here, came, there) {
  if
  :: here == START && came == client_hello && (WHEN_server_START_client_hello_START) -> there = START
  :: here == START && came == client_hello && (WHEN_server_START_client_hello_WAIT_EOED) -> there = WAIT_EOED
  :: here == START && came == client_hello && (WHEN_server_START_client_hello_WAIT_CERT) -> there = WAIT_CERT
  :: here == START && came == client_hello && (WHEN_server_START_client_hello_WAIT_FINISHED) -> there = WAIT_FINISHED
  :: here == WAIT_EOED && came == end_of_early_data && (WHEN_server_WAIT_EOED_end_of_early_data_WAIT_FINISHED) -> there = WAIT_FINISHED
  :: here == WAIT_CERT && came == certificate && (WHEN_server_WAIT_CERT_certificate_WAIT_FINISHED) -> there = WAIT_FINISHED
  :: here == WAIT_CERT && came == certificate && (WHEN_server_WAIT_CERT_certificate_WAIT_CV) -> there = WAIT_CV
  :: here == WAIT_CERT && came == compressed_certificate && (WHEN_server_WAIT_CERT_compressed_certificate_WAIT_FINISHED) -> there = WAIT_FINISHED
  :: here == WAIT_CERT && came == compressed_certificate && (WHEN_server_WAIT_CERT_compressed_certificate_WAIT_CV) -> there = WAIT_CV
  :: here == WAIT_CV && came == certificate_verify && (WHEN_server_WAIT_CV_certificate_verify_WAIT_FINISHED) -> there = WAIT_FINISHED
  :: here == WAIT_FINISHED && came == finished && (WHEN_server_WAIT_FINISHED_finished_CONNECTED) -> there = CONNECTED
  :: here == CONNECTED && came == key_update && (WHEN_server_CONNECTED_key_update_CONNECTED) -> there = CONNECTED
  :: here == CONNECTED && came == certificate && (WHEN_server_CONNECTED_certificate_CONNECTED) -> there = CONNECTED
  :: here == CONNECTED && came == compressed_certificate && (WHEN_server_CONNECTED_compressed_certificate_CONNECTED) -> there = CONNECTED
  :: here == CONNECTED && came == certificate_verify && (WHEN_server_CONNECTED_certificate_verify_CONNECTED) -> there = CONNECTED
  :: here == CONNECTED && came == finished && (WHEN_server_CONNECTED_finished_CONNECTED) -> there = CONNECTED
  :: else -> there = 0
  fi
}

/* ---- Messages by their place in a handshake: a set of them is a transcript. */

#define S_client_hello_1 0
#define S_hello_retry_request 1
#define S_client_hello 2
#define S_server_hello 3
#define S_encrypted_extensions 4
#define S_certificate_request 5
#define S_server_certificate 6
#define S_server_certificate_verify 7
#define S_server_finished 8
#define S_end_of_early_data 9
#define S_client_certificate 10
#define S_client_certificate_verify 11
#define S_client_finished 12
#define S_late_certificate_request 13
#define S_late_certificate 14
#define S_late_certificate_verify 15
#define SLOTS 16

/* ---- The key schedule: each secret, what is its own (label and parent), what it depends on, and its transcript. */

#define client_handshake_traffic_secret 1
#define server_handshake_traffic_secret 2
#define client_application_traffic_secret 3
#define server_application_traffic_secret 4
#define exporter_secret 5
#define resumption_secret 6
#define external_binder_key 7
#define binder_key 8
#define client_early_traffic_secret 9
#define early_exporter_secret 10
#define LABEL(secret) \
  ((secret) == client_handshake_traffic_secret -> 1 : \
  ((secret) == server_handshake_traffic_secret -> 2 : \
  ((secret) == client_application_traffic_secret -> 3 : \
  ((secret) == server_application_traffic_secret -> 4 : \
  ((secret) == exporter_secret -> 5 : \
  ((secret) == resumption_secret -> 6 : \
  ((secret) == external_binder_key -> 7 : \
  ((secret) == binder_key -> 8 : \
  ((secret) == client_early_traffic_secret -> 9 : \
  ((secret) == early_exporter_secret -> 10 : \
  0))))))))))
#define USES_PSK(secret) (2046 >> (secret) & 1)
#define USES_DHE(secret) (126 >> (secret) & 1)
#define CONTEXT(secret) \
  ((secret) == client_handshake_traffic_secret -> 15 : \
  ((secret) == server_handshake_traffic_secret -> 15 : \
  ((secret) == client_application_traffic_secret -> 511 : \
  ((secret) == server_application_traffic_secret -> 511 : \
  ((secret) == exporter_secret -> 511 : \
  ((secret) == resumption_secret -> 8191 : \
  ((secret) == external_binder_key -> 0 : \
  ((secret) == binder_key -> 0 : \
  ((secret) == client_early_traffic_secret -> 5 : \
  ((secret) == early_exporter_secret -> 5 : \
  0))))))))))

/* ---- What makes a proof: the messages that it is over, the secret of a MAC, and the words before a signature. */

/* client_certificate_verify: client_hello_1, hello_retry_request, client_hello, server_hello, encrypted_extensions, certificate_request, server_certificate, server_certificate_verify, server_finished, client_certificate */
#define COVERS_client_certificate_verify 1535
#define WORDS_client_certificate_verify 1

/* client_finished: client_hello_1, hello_retry_request, client_hello, server_hello, encrypted_extensions, certificate_request, server_certificate, server_certificate_verify, server_finished, end_of_early_data, client_certificate, client_certificate_verify */
#define COVERS_client_finished 4095
#define BASE_client_finished client_handshake_traffic_secret

/* server_certificate_verify: client_hello_1, hello_retry_request, client_hello, server_hello, encrypted_extensions, certificate_request, server_certificate */
#define COVERS_server_certificate_verify 127
#define WORDS_server_certificate_verify 3

/* server_finished: client_hello_1, hello_retry_request, client_hello, server_hello, encrypted_extensions, certificate_request, server_certificate, server_certificate_verify */
#define COVERS_server_finished 255
#define BASE_server_finished server_handshake_traffic_secret

/* binder: client_hello_1, hello_retry_request, client_hello */
#define COVERS_binder 7
#define BASE_binder binder_key

/* late_certificate_verify: client_hello_1, hello_retry_request, client_hello, server_hello, encrypted_extensions, server_certificate, server_certificate_verify, server_finished, client_finished, late_certificate_request, late_certificate */
#define COVERS_late_certificate_verify 29151
#define WORDS_late_certificate_verify 1

/* late_finished: client_hello_1, hello_retry_request, client_hello, server_hello, encrypted_extensions, server_certificate, server_certificate_verify, server_finished, client_finished, late_certificate_request, late_certificate, late_certificate_verify */
#define COVERS_late_finished 61919
#define BASE_late_finished client_application_traffic_secret

/* ---- The secret that protects what leaves; 0: none. */

#define KEYS_client_client_hello 0
#define KEYS_client_certificate client_handshake_traffic_secret
#define KEYS_client_certificate_verify client_handshake_traffic_secret
#define KEYS_client_finished client_handshake_traffic_secret
#define KEYS_client_late_key_update client_application_traffic_secret
#define KEYS_server_server_hello 0
#define KEYS_server_encrypted_extensions server_handshake_traffic_secret
#define KEYS_server_certificate_request server_handshake_traffic_secret
#define KEYS_server_certificate server_handshake_traffic_secret
#define KEYS_server_certificate_verify server_handshake_traffic_secret
#define KEYS_server_finished server_handshake_traffic_secret
#define KEYS_server_late_key_update server_application_traffic_secret
#define KEYS_server_hello_retry_request 0
#define KEYS_client_late_certificate client_application_traffic_secret
#define KEYS_client_late_certificate_verify client_application_traffic_secret
#define KEYS_client_late_finished client_application_traffic_secret
#define KEYS_server_late_certificate_request server_application_traffic_secret
#define KEYS_client_end_of_early_data client_early_traffic_secret
#define KEYS_server_new_session_ticket server_application_traffic_secret

/* ---- What is refused when it is wrong. Each can be set from outside, to see what becomes of it. */

#ifndef CHECKS_binder
#define CHECKS_binder 1
#endif
#ifndef CHECKS_server_certificate_verify
#define CHECKS_server_certificate_verify 1
#endif
#ifndef CHECKS_server_finished
#define CHECKS_server_finished 1
#endif
#ifndef CHECKS_client_certificate_verify
#define CHECKS_client_certificate_verify 1
#endif
#ifndef CHECKS_client_finished
#define CHECKS_client_finished 1
#endif
#ifndef CHECKS_late_certificate_verify
#define CHECKS_late_certificate_verify 1
#endif
#ifndef CHECKS_late_finished
#define CHECKS_late_finished 1
#endif
#ifndef CHECKS_server_identity
#define CHECKS_server_identity 1
#endif
#ifndef CHECKS_replay_guard
#define CHECKS_replay_guard 1
#endif
#ifndef CHECKS_key_update
#define CHECKS_key_update 1
#endif
