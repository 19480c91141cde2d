// Lessons 11 and 12: connections that build on an earlier one.

import { type Lesson, message } from "./lesson.ts"

export const later: readonly Lesson[] = [
  {
    id: "early-data",
    title: "0-RTT data, and who may send it again",
    sections: ["2.3", "4.3.10", "8", "F.5"],
    paragraphs: [
      [
        "At the end of a connection's handshake the server can give the client ",
        {
          text: "a ticket",
          scenario: "0-rtt",
          wanted: message("client", "received", "new_session_ticket", 0),
          view: "bytes",
          field: "NewSessionTicket.ticket",
        },
        ". With it, both have a secret in common before the next connection begins. So the client need not wait for the server at all: it can send data with its ClientHello, ",
        {
          text: "under a key of the ticket",
          scenario: "0-rtt",
          wanted: { type: "keys", of: "client", direction: "sent", secretName: "client_early_traffic_secret" },
          view: "keys",
        },
        ". This saves a round trip.",
      ],
      [
        "The price: no byte of the server has gone into that key. The server's random is what makes a connection unlike all others, and it comes too late. Whoever records ",
        {
          text: "the client's first flight",
          scenario: "0-rtt-replayed",
          wanted: { type: "action", of: "client", connection: 1, text: "sends CONNECT as 0-RTT data" },
          view: "ends",
        },
        " can ",
        {
          text: "send it again",
          scenario: "0-rtt-replayed",
          wanted: { type: "wire", record: { from: "client", fate: "injected" } },
          view: "ends",
        },
        ", without being able to read it, and it is as good as the first time. Data that does the same harm twice, such as a payment, does not belong there.",
      ],
      [
        "A server can remember the hellos that it has seen, or let each ticket be used once; this one does the former. A hello that it knows is not refused: the early data is skipped, and the handshake goes on as an ordinary resumption. He who only repeats it gets no further, since he cannot make the Finished.",
      ],
      [
        "A client cannot rely on it. It is told whether the server ",
        {
          text: "took the data",
          scenario: "0-rtt",
          wanted: { type: "event", of: "client", text: "0-RTT data was accepted" },
          view: "ends",
        },
        " or ",
        {
          text: "did not",
          scenario: "0-rtt-rejected",
          wanted: { type: "event", of: "client", text: "0-RTT data was rejected" },
          view: "ends",
        },
        ", and has to send it again in the second case.",
      ],
    ],
    question: [
      "Replay a CONNECT ",
      {
        text: "with the guard",
        scenario: "0-rtt-replayed",
        breaks: "replay",
        wanted: { type: "state", of: "server", message: "client_hello" },
        view: "break",
      },
      ", and then ",
      {
        text: "without it",
        scenario: "0-rtt-replayed",
        breaks: "replay",
        without: "replay",
        wanted: { type: "data", of: "server", early: true },
        view: "break",
      },
      ". To which state does the server go in each case?",
    ],
    answer: [
      "With the guard to WAIT_FINISHED: it does not take the early data. Without it to WAIT_EOED, and its application gets the same CONNECT a second time.",
    ],
  },
  {
    id: "resumption",
    title: "What resumption gives up",
    sections: ["2.2", "4.3.9", "4.3.11", "4.7.1"],
    paragraphs: [
      [
        "A resumption leaves out the dearest part of a handshake: no certificate is sent, nothing is signed, no path is checked. The client offers ",
        {
          text: "its ticket as a pre-shared key",
          scenario: "resumption",
          wanted: message("client", "sent", "client_hello"),
          view: "bytes",
          field: "pre_shared_key.identities.identity",
        },
        ", and proves with ",
        {
          text: "a binder",
          scenario: "resumption",
          wanted: message("client", "sent", "client_hello"),
          view: "bytes",
          field: "pre_shared_key.binders.binder",
        },
        ", a MAC over the hello, that it has the key that belongs to it. The server ",
        {
          text: "is known by the same key",
          scenario: "resumption",
          wanted: { type: "connected", of: "client", info: { authentication: "psk" } },
          view: "ends",
        },
        ".",
      ],
      [
        "The first thing it gives up is freshness. The certificate was checked in the first connection; that it has expired or been revoked since then is noticed only by those who look again. A ticket therefore has a lifetime, of seven days at most.",
      ],
      [
        "The second is that there is now a long-lived secret that opens things. Most servers keep nothing of a session: they seal its secret under a ticket key and let the client carry it. Who steals the ticket key can open every ticket he has recorded. 0-RTT data lies open to him at once.",
      ],
      [
        "The rest does not, so long as the resumption has ",
        {
          text: "a fresh key exchange",
          scenario: "resumption",
          wanted: { type: "exchange", of: "server" },
          view: "keys",
        },
        " beside the ticket (psk_dhe_ke): the ticket's key alone gives him none of the traffic keys. Without one (",
        {
          text: "psk_ke",
          scenario: "psk-ke",
          wanted: { type: "data", of: "server" },
          view: "eyes",
          item: "eyes/ticket-key",
        },
        ") everything lies open to whoever has it. And a ticket that is used twice lets those who listen see that it is the same client.",
      ],
    ],
    question: [
      "Somebody has stolen the ticket key, and has recorded ",
      {
        text: "the resumed connection",
        scenario: "resumption",
        wanted: { type: "data", of: "server" },
        view: "eyes",
        item: "eyes/ticket-key",
      },
      " and ",
      {
        text: "the one with 0-RTT data",
        scenario: "0-rtt",
        wanted: { type: "data", of: "server", early: true },
        view: "eyes",
        item: "eyes/ticket-key",
      },
      ". What can he read of each?",
    ],
    answer: [
      "Of the first only the hellos, and the tickets in them: the fresh key exchange keeps him out. Of the second the early data, as its key comes from the ticket alone.",
    ],
  },
]
