// Lessons 7 to 10: what the keys do, how long they last, and how it ends.

import { type Lesson, message } from "./lesson.ts"

export const protection: readonly Lesson[] = [
  {
    id: "records",
    title: "Records and their nonces",
    sections: ["5.1", "5.2", "5.3", "5.4"],
    paragraphs: [
      [
        "Everything goes in records of at most 2^14 bytes of content. ",
        {
          text: "An encrypted one",
          scenario: "full",
          wanted: { type: "wire", of: "wire", record: { from: "server" }, which: "last" },
          view: "bytes",
        },
        " always says application_data on the outside. What it really is, a handshake message, an alert or data, stands encrypted behind the content, and zeros may follow it to hide how long the content is.",
      ],
      [
        "The cipher (an AEAD) needs a nonce for each record: a number that is never used twice with the same key. TLS sends none. Each end counts the records of a key from 0, and xors that count, the sequence number, into ",
        {
          text: "the iv that came with the key",
          scenario: "full",
          wanted: { type: "record", of: "client", direction: "sent", protected: true, innerType: 23 },
          view: "lab",
        },
        ". The first record of a key has the iv itself as its nonce.",
      ],
      [
        "The count is part of what is authenticated without being sent. A record that is ",
        {
          text: "dropped",
          scenario: "full",
          breaks: "drop",
          wanted: { type: "failed", of: "client", failure: { alert: "bad_record_mac" } },
          view: "break",
        },
        ", ",
        {
          text: "sent twice",
          scenario: "full",
          breaks: "repeat",
          wanted: { type: "failed", of: "server", failure: { alert: "bad_record_mac" } },
          view: "break",
        },
        " or moved is opened with the wrong nonce, and its tag does not fit. Under a repeated nonce, two records would give away the xor of their contents, and with AES-GCM the key of the tag as well.",
      ],
    ],
    question: [
      "Rewind to where ",
      {
        text: "the client sends CONNECT",
        scenario: "full",
        wanted: { type: "action", of: "client", text: "sends CONNECT" },
        view: "ends",
      },
      ". It has sent an encrypted record before, its Finished. Which sequence number has the record with CONNECT: 1 or 0?",
    ],
    answer: [
      "0. Finished went out under the handshake key; since then there is a new key, and every key counts from 0.",
    ],
  },
  {
    id: "key-update",
    title: "KeyUpdate: new keys under way",
    sections: ["4.7.3", "5.5", "7.2"],
    paragraphs: [
      [
        "No key is good for ever: after some 2^24.5 full records, AES-GCM begins to give a little away. An end must change its key before that, or close the connection; and it may whenever it likes.",
      ],
      [
        "It sends ",
        {
          text: "a KeyUpdate",
          scenario: "key-update",
          wanted: message("client", "sent", "key_update"),
          view: "bytes",
        },
        ", still under the old key, and ",
        {
          text: "derives the next secret",
          scenario: "key-update",
          wanted: {
            type: "secret",
            of: "client",
            name: "client_application_traffic_secret",
            generation: 1,
          },
          view: "keys",
        },
        " from the present one. No key exchange takes place and nothing secret is sent: both compute the same. The old secret is thrown away. Since the step only goes one way, who steals the new one cannot read what was sent before.",
      ],
      [
        "Each direction goes on alone. With `update_requested` the sender asks for new keys the other way, too, and the server ",
        {
          text: "answers with one of its own",
          scenario: "key-update",
          wanted: message("server", "sent", "key_update"),
          view: "ends",
        },
        " before its next data.",
      ],
      [
        "What it does not do: whoever has the present secret can follow every update, as both ends do. Only a new connection, with a new key exchange, shakes him off.",
      ],
    ],
    question: [
      "Between ",
      {
        text: "the client's KeyUpdate",
        scenario: "key-update",
        wanted: message("client", "sent", "key_update"),
        view: "ends",
      },
      " and the server's answer, the two directions are not of the same age. Which generation does each end send with, and read with, at that point?",
    ],
    answer: [
      "The client sends with generation 1 and reads with 0; the server, once it has read the message, reads with 1 and still sends with 0.",
    ],
  },
  {
    id: "hybrid",
    title: "Hybrid key exchange, and who records today",
    sections: ["4.3.7", "4.3.8", "draft-ietf-tls-ecdhe-mlkem"],
    paragraphs: [
      [
        "A large quantum computer could compute x25519's private keys from the shares on the wire. There is none yet. But somebody can record a connection today and open it when there is one: what has to stay secret for ten years is at risk now.",
      ],
      [
        "X25519MLKEM768 is two key exchanges in one group: x25519, and ML-KEM-768, for which no such attack is known. Both secrets, one behind the other, are ",
        {
          text: "what goes into the key schedule",
          scenario: "hybrid",
          wanted: { type: "exchange", of: "server", group: "X25519MLKEM768" },
          view: "ends",
        },
        ". Who wants to read along has to break both: should the new one turn out weak, the old one still holds.",
      ],
      [
        "It costs bytes: ",
        {
          text: "the client's share",
          scenario: "hybrid",
          wanted: message("client", "sent", "client_hello"),
          view: "bytes",
          field: "key_share.key_exchange",
        },
        " has 1,216 instead of 32, ",
        {
          text: "the server's",
          scenario: "hybrid",
          wanted: message("server", "sent", "server_hello"),
          view: "bytes",
          field: "key_share.key_exchange",
        },
        " 1,120. With a browser's other extensions beside it, such a ClientHello no longer fits into one packet.",
      ],
      [
        "Signatures can wait longer. A forged signature must exist while the handshake runs: a quantum computer of the future cannot go back and stand in for a server of today.",
      ],
    ],
    question: [
      "Somebody has a quantum computer, and has recorded ",
      {
        text: "a connection with x25519",
        scenario: "full",
        wanted: { type: "data", of: "server" },
        view: "eyes",
        item: "eyes/quantum",
      },
      " and ",
      {
        text: "the hybrid one",
        scenario: "hybrid",
        wanted: { type: "data", of: "server" },
        view: "eyes",
        item: "eyes/quantum",
      },
      ". What can he read of each?",
    ],
    answer: [
      "Everything of the first: the x25519 shares are in the clear, and from them come all keys. Of the second nothing but the hellos.",
    ],
  },
  {
    id: "close",
    title: "close_notify: how to know that nothing is missing",
    sections: ["6", "6.1"],
    paragraphs: [
      [
        "Records protect what arrives. They cannot protect what never does: somebody on the way may end the TCP connection in an end's name, just before the words that matter. “Transfer 100” could have gone on.",
      ],
      [
        "So the end of a connection is said inside of it. Who has nothing more to say sends ",
        {
          text: "the alert close_notify",
          scenario: "close",
          wanted: { type: "alert", of: "client", direction: "sent", description: "close_notify" },
          view: "ends",
        },
        " as its last record, encrypted like any other. The receiver ",
        {
          text: "knows that it has everything",
          scenario: "close",
          wanted: { type: "closed", of: "server" },
          view: "ends",
        },
        ". Each direction closes for itself: the other may still finish what it has to say.",
      ],
      [
        "A stream that ",
        {
          text: "only stops",
          scenario: "close",
          wanted: { type: "failed", of: "client", connection: 1 },
          view: "ends",
        },
        " has been cut off. A stack must not pass that on as a proper end, and an application that marks the length of its messages, as MQTT does, can tell for itself whether one is whole.",
      ],
      [
        "Every other alert says that something went wrong. After nearly all of them the connection is over at once, and both ends forget its keys; user_canceled says only that close_notify comes next.",
      ],
    ],
    question: [
      "Cut a connection: ",
      {
        text: "in the middle of a record",
        scenario: "full",
        breaks: "cut",
        wanted: { type: "failed", of: "client" },
        view: "break",
      },
      ". Which alert does the client send, and how much of the cut record does its application get?",
    ],
    answer: [
      "None: there is nobody left to be told. And nothing: the tag at the end of the record is missing, and without it not one byte of it counts.",
    ],
  },
]
