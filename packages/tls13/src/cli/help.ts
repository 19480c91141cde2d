export const generalHelp: string = `tls13 - TLS 1.3 from the command line

  tls13 connect HOST:PORT           speak TLS 1.3 with a server
  tls13 serve                       be a TLS 1.3 server, to try clients against
  tls13 inspect FILE|HOST:PORT      show certificates, and whether they would be accepted

"tls13 COMMAND --help" tells the options of a command.
`

const shared = `What is negotiated (names in order of preference, separated by commas or colons):
  --alpn NAMES              application protocols, such as mqtt or h2,http/1.1
  --ciphers NAMES           TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256; only when
                            named: TLS_AES_128_CCM_SHA256, TLS_AES_128_CCM_8_SHA256
  --groups NAMES            x25519, secp256r1, secp384r1, secp521r1, X25519MLKEM768, ...;
                            a server takes the third and fourth only when named here
  --sigalgs NAMES           ecdsa_secp256r1_sha256, ed25519, rsa_pss_rsae_sha256, ...
  --record-size-limit N     longest record that the peer may send: 64 to 16385 bytes
  --cert-compression        compress certificates for peers that take it, and take compressed ones (zlib, brotli)
  --provider NAME           whose cryptography: fast (default), noble or host

Raw public keys (RFC 7250), instead of certificates:
  --raw-public-key          show the key of --key as it is; --cert may then be left out
  --peer-key KEY            a key that the peer may show: sha256/BASE64, or the file of a public key; repeatable

Pre-shared keys:
  --psk IDENTITY:HEX        a key that both sides have; may be given several times
  --psk-ke                  also without a key exchange: no forward secrecy

Looking inside:
  --trace[=bytes,secrets]   tell the handshake message by message; with bytes also field by field in hexadecimal, with
                            secrets each secret and key: who has them can read the connection
  --keylog FILE             append the keys (SSLKEYLOGFILE), for Wireshark; who has them reads everything
  --key-update BYTES        renew our sending keys after every so many bytes
  --key-update-peer         and ask the peer to renew its own each time
  --timeout MS              for the handshake; default 10000
`

const trust = `Which certificates are believed:
  --ca FILE                 trust these authorities (PEM or DER) instead of the machine's; may be given several times
  --ca-names NAMES          ... but only for these names, as in example.com,IP:10.0.0.0/8
  --crl FILE                certificate revocation lists (PEM or DER); may be given several times
  --revocation WHEN         ifPresent (default): a list or OCSP response that is there must be usable and not say
                            revoked; require: there must be one for every certificate; off
  --pin KEY                 a key that must be in the path: sha256/BASE64, or the file of a public key; repeatable
  --profile NAME            path (RFC 5280 section 6; the default below --ca), rfc5280 (and section 4), webpki (and the
                            rules of the CA/Browser Forum); below the machine's authorities the default is webpki for
                            servers, rfc5280 for clients`

export const connectHelp: string = `tls13 connect HOST:PORT - speak TLS 1.3 with a server

What the server sends goes to standard output, what is typed goes to the server, everything else is told on standard
error. The end of the input (Ctrl-D) ends our half of the connection; what the server still sends is shown.

${trust}
  --ocsp WHEN               ask for a stapled OCSP response: ifPresent (it must be good if it comes) or require
  --insecure                go on with a server that cannot be verified, and say what is wrong
  --servername NAME         the name to ask for and to verify, instead of HOST; "" asks for none
  --cert FILE --key FILE    show a client certificate (PEM or DER), when asked for one
  --key-password-file FILE  its first line is the password of keys that are encrypted
  --quiet                   tell nothing but errors

Sessions:
  --session-file FILE       resume the session in this file, and keep the next one in it
  --reconnect N             connect, then N times more, each time resuming the session before
  --early-data TEXT         send this as 0-RTT data when the session allows it (it may be replayed), else at once after
                            the handshake; \\n and \\r in it mean line ends

  --commands                take typed lines as commands, as on a terminal:
                            K renews our keys, B renews those of both sides, Q ends the connection

${shared}`

export const serveHelp: string = `tls13 serve [[HOST:]PORT] - be a TLS 1.3 server, to try clients against

Listens on 127.0.0.1:4433 unless told otherwise. One line for each handshake and each failure goes to standard error.
What clients send goes to standard output, and what is typed goes to all of them, unless one of these is chosen:

  --www                     answer an HTTP request with what was negotiated; its head may have 16384 bytes (else 431)
  --request-time SECONDS    within which the head of that request must be there, else 408; default 10
  --echo                    send back what comes

  --cert FILE --key FILE    certificate chain and key (PEM or DER); may be given several times, for several kinds of
                            key or names. Without them, and without --psk, a certificate for development is made
  --key-password-file FILE  its first line is the password of keys that are encrypted
  --names NAMES             what that certificate is for; default localhost,127.0.0.1,::1
  --save-ca FILE            write the authority of that certificate to FILE, for clients to trust

  --verify WHEN             client certificates: none (default), request, require, or post-handshake: asked for once the
                            connection is there
${trust}
  --ocsp-response FILE      staple this OCSP response (DER) to the certificate; in the order of --cert

Sessions:
  --tickets N               after each handshake; 0: no resumption. Default 2
  --early-data BYTES        take up to so many bytes of 0-RTT data; default none
  --max-handshakes N        handshakes under way, in all; more connections wait. Default 1024
  --max-handshakes-per-address N   those of one address; default: as many
  --max-waiting N           connections that wait for their handshake, in all; more are closed. Default 4096
  --max-waiting-per-address N      those of one address; default 1024
  --max-wait SECONDS        that one waits at most; default 30

${shared}`

export const inspectHelp: string = `tls13 inspect FILE|HOST:PORT - show certificates, and whether they would be accepted

FILE is PEM or DER, or - for the standard input. With HOST:PORT the server is asked for its chain. The exit status is 0
when the chain would be accepted, 1 when it would not. A list of roots, such as a machine's, is shown as a list.

  --for USE                 server, client, or any; default: what the certificate says that it is for
  --name NAME               the name that the certificate must be for; default: HOST; for a FILE: none is checked
  --json                    as JSON

${trust}

On a terminal the text is in colour, unless NO_COLOR is set.
`
