/* TLS 1.3 between honest clients and servers, over a network that is the attacker.

   Read in this order: generated.pml, what the code says; terms.pml, what cryptography is here; promises.pml, what has to hold;
   parties.pml, what a client and a server do with a message; network.pml, what can happen. docs/model.md says what it shows.

   A variant is a set of -D names: variants.ts. */

mtype = { application_data, close_notify };
mtype = { illegal_parameter, decrypt_error, unexpected_message, protocol_version, handshake_failure, bad_certificate,
          certificate_required, bad_record_mac };

/* ---- A variant, where it says nothing. */

#ifndef CLIENTS
#define CLIENTS 1       /* client 2 begins when client 1 has */
#endif
#ifndef SERVERS
#define SERVERS 1
#endif
#ifndef SERVER_GROUPS
#define SERVER_GROUPS 3 /* 1 and 2; a client has a share of group 1 first, so that 2 asks it to retry */
#endif
#ifndef PSK
#define PSK 0           /* 1: client and server have a PSK. 2: client 2 has the ticket that client 1 was given */
#endif
#ifndef MODES
#define MODES 1         /* 1: psk_dhe_ke, 2: psk_ke, 3: both */
#endif
#ifndef EARLY
#define EARLY 0         /* 1: 0-RTT is offered and taken; 2: offered, and refused */
#endif
#ifndef ASKS
#define ASKS 0          /* 1: the server wants a certificate of the client, 2: requires one */
#endif
#ifndef SHOWS
#define SHOWS 1         /* the client has one */
#endif
#ifndef LATE
#define LATE 0          /* the server asks after the handshake */
#endif
#ifndef COMPRESSED
#define COMPRESSED 0    /* certificates travel as compressed_certificate */
#endif
#ifndef DATA
#define DATA 1          /* application data of each end */
#endif
#ifndef UPDATES
#define UPDATES 0       /* KeyUpdates of each end */
#endif
#ifndef CLOSES
#define CLOSES 0        /* close_notify of each end */
#endif
#ifndef WEAK
#define WEAK 0          /* the attacker computes discrete logarithms in this group */
#endif
#ifndef PSK_KNOWN
#define PSK_KNOWN 0     /* the attacker has the PSK from the beginning */
#endif
#ifndef LEAKS
#define LEAKS 0         /* the server's private key and the PSK become known once somebody is connected */
#endif
#ifndef TAMPERS
#define TAMPERS 1       /* the attacker changes versions, suites and groups, too */
#endif
#ifndef SHARED_GUARD
#define SHARED_GUARD 1  /* servers that share tickets share the replay guard */
#endif

#ifndef FRESH
#define FRESH 1         /* each client draws random bytes and key shares of its own; 0: client 2 draws those of client 1 */
#endif

/* Conditions of the rows that have more than one way (the notes beside handshake/transitions.ts). */
#define WHEN_client_WAIT_SH_server_hello_WAIT_SH is_retry
#define WHEN_client_WAIT_SH_server_hello_WAIT_EE !is_retry
#define WHEN_client_WAIT_EE_encrypted_extensions_WAIT_FINISHED (p[r].psk != 0)
#define WHEN_client_WAIT_EE_encrypted_extensions_WAIT_CERT_CR (p[r].psk == 0)
#define WHEN_client_CONNECTED_certificate_request_CONNECTED was_due
#define WHEN_server_START_client_hello_START is_retry
#define WHEN_server_START_client_hello_WAIT_EOED (!is_retry && p[r].early)
#define WHEN_server_START_client_hello_WAIT_CERT (!is_retry && !p[r].early && p[r].psk == 0 && ASKS)
#define WHEN_server_START_client_hello_WAIT_FINISHED (!is_retry && !p[r].early && !(p[r].psk == 0 && ASKS))
#define WHEN_server_WAIT_CERT_certificate_WAIT_FINISHED (content == NO_CERTIFICATE)
#define WHEN_server_WAIT_CERT_certificate_WAIT_CV (content != NO_CERTIFICATE)
#define WHEN_server_WAIT_CERT_compressed_certificate_WAIT_FINISHED (content == NO_CERTIFICATE)
#define WHEN_server_WAIT_CERT_compressed_certificate_WAIT_CV (content != NO_CERTIFICATE)
#define WHEN_server_CONNECTED_certificate_CONNECTED was_due
#define WHEN_server_CONNECTED_compressed_certificate_CONNECTED was_due
#define WHEN_server_CONNECTED_certificate_verify_CONNECTED was_due
#define WHEN_server_CONNECTED_finished_CONNECTED was_due

/* ---- Who there is. */

#define NOBODY 0 /* the attacker, where the number of a party is due */
#define C1 1
#define C2 2
#define S1 3
#define S2 4
#define PARTIES 5
#define is_client(i) (((i) == C1) || ((i) == C2))
#define partner_of(i) (is_client(i) -> (i) + 2 : (i) - 2)
#define drawn_by(i) (FRESH || !is_client(i) -> (i) : C1)

/* Whose a certificate is. */
#define SERVER_CERTIFICATE 1
#define CLIENT_CERTIFICATE 2
#define OTHER_CERTIFICATE 3 /* the attacker's, from the same authority, for another name */
#define NO_CERTIFICATE 4

#include "generated.pml"

#define RECORDS 14

typedef Party {
  mtype state;
  bool gone;                        /* an alert was sent: nothing is taken any more */
  int said[SLOTS];                  /* the transcript as it sees it: what was said, by place; 0: nothing */
  byte suite, psk, offered;         /* offered: the PSK of its first ClientHello */
  byte dh, theirs;                  /* both shares and the group; whose the peer's is */
  byte sendKey, sendGeneration, sendNumber, receiveKey, receiveGeneration, receiveNumber;
  int record[RECORDS];              /* what it has sent, in order */
  byte records, taken;              /* taken: of its partner's, where the network is honest */
  byte shown, who;                  /* the peer's certificate, and whose signature was right */
  bool confirmed;                   /* the peer's Finished was right */
  bool retried, early, asked, trusts;
  bool lateAsked; byte lateNext, lateShown, lateWho, lateGeneration;
  byte data, updates; bool closes, ended, ticket;
  byte heard, heardEarly;           /* application data that came */
}
Party p[PARTIES];

bool keyLeaked, pskKnown;
bool recorded[PARTIES];             /* the replay guard, by whose binder; the second server's own is beside it */
bool recordedBySecond[PARTIES];
byte earlyTaken[PARTIES];           /* how often the 0-RTT data of a client was taken */

/* Of one event: zero before and after it, so that states differ by nothing else. */
byte r, o, made, begun, keyBefore, number;
int content, hello;
mtype message, next, alert;
bool is_retry, was_due, found;
inline forget() {
  r = 0; o = 0; made = 0; begun = 0; keyBefore = 0; number = 0; content = 0; hello = 0; message = 0; next = 0; alert = 0;
  is_retry = false; was_due = false; found = false
}

/* Of one step. */
hidden byte k, n, slot, at, sealer, other, base, generation, words, shown;
hidden int places, over;
hidden byte ok, twice, checks; /* 0 or 1 */

#include "terms.pml"
#include "promises.pml"
#include "parties.pml"
#include "network.pml"
