// Lessons 1 to 3: how two ends that share nothing come to share keys.

import { type Lesson, message } from "./lesson.ts"

export const beginning: readonly Lesson[] = [
  {
    id: "key-share",
    title: "Why a ClientHello has a key share",
    sections: ["2", "4.2.2", "4.3.8"],
    paragraphs: [
      [
        "Two ends that have never met need a secret that nobody who listens can compute. Each makes a pair of keys for this connection alone and sends the public half, its key share. From its own private half and the other's public half, both compute the same secret.",
      ],
      [
        "In TLS 1.2 the ends first agreed on how to exchange keys, and exchanged them after that: two round trips before the first byte of data. A TLS 1.3 client does not wait to be asked. It guesses which group the server will take, and puts ",
        {
          text: "its share into the ClientHello",
          scenario: "full",
          wanted: message("client", "sent", "client_hello"),
          view: "bytes",
          field: "key_share.key_exchange",
        },
        " beside the list of all groups that it can do.",
      ],
      [
        "When the guess is right, the server has all it needs as soon as it has read that one message: it ",
        {
          text: "completes the key exchange",
          scenario: "full",
          wanted: { type: "exchange", of: "server" },
          view: "ends",
        },
        ", answers with ",
        {
          text: "a share of its own",
          scenario: "full",
          wanted: message("server", "sent", "server_hello"),
          view: "bytes",
          field: "key_share.key_exchange",
        },
        " in the ServerHello, and encrypts everything after it. This is why a handshake takes one round trip, and why not even the certificate is sent in the clear.",
      ],
      [
        "The private halves are forgotten when the connection has its keys. Whoever records the traffic and ",
        {
          text: "steals the server's certificate key",
          scenario: "full",
          wanted: { type: "data", of: "server" },
          view: "eyes",
          item: "eyes/certificate-key",
        },
        " years later still cannot read it: this is called forward secrecy.",
      ],
    ],
    question: [
      "Change the seed at the head of the page, and compare ",
      {
        text: "the ClientHello of seed 1",
        scenario: "full",
        seed: 1,
        wanted: message("client", "sent", "client_hello"),
        view: "bytes",
        field: "key_share.key_exchange",
      },
      " with ",
      {
        text: "that of seed 2",
        scenario: "full",
        seed: 2,
        wanted: message("client", "sent", "client_hello"),
        view: "bytes",
        field: "key_share.key_exchange",
      },
      ". Which fields are other bytes, and which stay as they are?",
    ],
    answer: [
      "Three fields change: `random`, `legacy_session_id`, which is random too, and the key share. All the rest says what the client can do, and that is the same every time.",
    ],
  },
  {
    id: "hello-retry",
    title: "HelloRetryRequest: when the guess is wrong",
    sections: ["2.1", "4.1", "4.2.4", "4.3.2"],
    paragraphs: [
      [
        "The client has sent a share of x25519, and this server takes secp256r1 only. Both can do secp256r1: the list in `supported_groups` says so. They only lack a share of it.",
      ],
      [
        "So the server answers with ",
        {
          text: "a HelloRetryRequest",
          scenario: "hello-retry",
          wanted: message("server", "sent", "hello_retry_request"),
          view: "bytes",
          field: "key_share.value",
        },
        ", which names the group. On the wire it is a ServerHello with one fixed value in its `random`. The client sends ",
        {
          text: "a second ClientHello",
          scenario: "hello-retry",
          wanted: { ...message("client", "sent", "client_hello"), which: "last" },
          view: "bytes",
          field: "key_share.key_exchange",
        },
        " with a share of that group. It costs one round trip; only one retry is allowed.",
      ],
      [
        "Somebody on the way could send such a request to push both to a weaker group. He would be noticed: the first ClientHello and the request are part of the transcript that ",
        {
          text: "Finished",
          scenario: "hello-retry",
          wanted: message("client", "received", "finished"),
          view: "ends",
        },
        " covers. The first ClientHello goes in as its hash, a made-up message called `message_hash`: a server that keeps nothing between the two hellos can carry that hash in ",
        {
          text: "a cookie",
          scenario: "stateless-retry",
          wanted: message("server", "sent", "hello_retry_request"),
          view: "bytes",
          field: "cookie.cookie",
        },
        ", which the client sends back.",
      ],
    ],
    question: [
      "Watch the server's state when it ",
      {
        text: "has sent the request",
        scenario: "hello-retry",
        wanted: { type: "state", of: "server", from: "START", to: "START" },
        view: "ends",
      },
      ". Where in the diagram is it, and which keys does it have?",
    ],
    answer: [
      "It is in START again and has no keys: nothing has been agreed, so nothing can be encrypted. The whole retry is in the clear.",
    ],
  },
  {
    id: "key-schedule",
    title: "Where the keys come from",
    sections: ["4.1", "7.1", "7.3"],
    paragraphs: [
      [
        "One shared secret is not enough. Each direction needs a key of its own, the handshake needs other keys than the data, and each of them should give nothing away about the others. TLS 1.3 makes them all in one tree, of two steps: `HKDF-Extract` mixes something new in, `Derive-Secret` takes something out under a label.",
      ],
      [
        "Three values go in, from the top: a pre-shared key or zeros (",
        {
          text: "early_secret",
          scenario: "full",
          wanted: { type: "secret", of: "client", name: "early_secret" },
          view: "keys",
        },
        "), the key exchange (",
        {
          text: "handshake_secret",
          scenario: "full",
          wanted: { type: "secret", of: "client", name: "handshake_secret" },
          view: "keys",
        },
        "), and zeros again (",
        {
          text: "main_secret",
          scenario: "full",
          wanted: { type: "secret", of: "client", name: "main_secret" },
          view: "keys",
        },
        "). Out come the traffic secrets, one for each direction and phase.",
      ],
      [
        "Into each secret that is taken out goes a hash of all messages so far, the transcript. Two ends that have not seen exactly the same messages have different keys: this alone already stops whoever ",
        {
          text: "changes one bit of a hello",
          scenario: "full",
          breaks: "flip-hello",
          wanted: { type: "failed", of: "client", failure: { alert: "bad_record_mac" } },
          view: "break",
        },
        ".",
      ],
      [
        "A traffic secret is not yet a key. From it come ",
        {
          text: "a key and an iv",
          scenario: "full",
          wanted: { type: "keys", of: "client", direction: "sent", secretName: "client_handshake_traffic_secret" },
          view: "keys",
        },
        " for the cipher. Whoever learns one of them cannot climb up the tree: the functions only go one way.",
      ],
    ],
    question: [
      "The server has ",
      {
        text: "the traffic secrets of the data",
        scenario: "full",
        wanted: { type: "secret", of: "server", name: "server_application_traffic_secret" },
        view: "ends",
      },
      " before the client has sent its Finished. Go on by half round trips: when does the client have them, and which is the last secret that both derive?",
    ],
    answer: [
      "The client has them half a round trip later, as soon as it has read the server's Finished. The last is `resumption_secret`: it covers the client's Finished, too, so the server cannot have it earlier.",
    ],
  },
]
