// Lessons 4 to 6: with whom one shares those keys.

import { type Lesson, message } from "./lesson.ts"

export const trust: readonly Lesson[] = [
  {
    id: "certificate",
    title: "What a certificate proves, and what it does not",
    sections: ["4.5.1", "4.5.1.3", "C.5"],
    paragraphs: [
      [
        "A key exchange says nothing about who is at the other end. Somebody in the middle could do one with each side, and both would have an encrypted connection with him. So ",
        {
          text: "the server shows a certificate",
          scenario: "full",
          wanted: message("client", "received", "certificate"),
          view: "certificates",
        },
        ": an authority states that this public key belongs to this name, and signs it.",
      ],
      [
        "The client checks a path: from the server's certificate over its issuer to an authority that it trusts beforehand, each signed by the next, all of them valid today. And it checks that the name is the one that it wanted to reach. A good certificate ",
        {
          text: "for another name",
          scenario: "full",
          breaks: "wrong-name",
          wanted: { type: "failed", of: "client", failure: { alert: "bad_certificate" } },
          view: "break",
        },
        " is no use, and neither is one of ",
        {
          text: "an authority that nobody knows",
          scenario: "full",
          breaks: "unknown-authority",
          wanted: { type: "failed", of: "client", failure: { alert: "unknown_ca" } },
          view: "break",
        },
        ".",
      ],
      [
        "What it does not prove: that the one who shows it has the private key. A certificate is public, everybody may copy it. It also does not say that its owner is honest, or that the key has not been stolen since.",
      ],
      [
        "TLS itself only carries the certificate. Which authorities to trust, and which name to expect, is the application's to say: a client that does not check has encrypted its words for whoever answers.",
      ],
    ],
    question: [
      "Take the check out: ",
      {
        text: "the unknown authority, without the check of the path",
        scenario: "full",
        breaks: "unknown-authority",
        without: "certificate-path",
        wanted: { type: "connected", of: "client" },
        view: "break",
      },
      ". How far does the connection get, and would the client notice anything later?",
    ],
    answer: [
      "To the end, MQTT and all. Every signature and every Finished is right, because the stranger made them with his own keys. Nothing later can notice it.",
    ],
  },
  {
    id: "certificate-verify",
    title: "Why the server signs the transcript",
    sections: ["4.1", "4.5.2"],
    paragraphs: [
      [
        "The certificate says whose key it is; ",
        {
          text: "CertificateVerify",
          scenario: "full",
          wanted: message("server", "sent", "certificate_verify"),
          view: "bytes",
          field: "CertificateVerify.signature",
        },
        " shows that the server has the private key, now. It is a signature that nobody else can make.",
      ],
      [
        "What is signed matters. If it were some fixed text, the signature could be copied from one connection into the next. So the server signs a hash of all messages so far, from ClientHello to Certificate: both randoms and both key shares are in it. The signature is good for this handshake, and for no other.",
      ],
      [
        "This is also what stops somebody in the middle. He can pass on the certificate and the signature, but he had to send a key share of his own, and the client has another transcript than the server has signed. ",
        {
          text: "The client checks it",
          scenario: "full",
          wanted: message("client", "received", "certificate_verify"),
          view: "transcript",
        },
        " over the messages that it has seen itself.",
      ],
      [
        "In front of the hash stand 64 spaces and a line that says `TLS 1.3, server CertificateVerify`. With it, a signature made for TLS can never be taken for one made for something else, and a client's never for a server's.",
      ],
    ],
    question: [
      "Break it: ",
      {
        text: "a server that cannot sign",
        scenario: "full",
        breaks: "bad-certificate-verify",
        wanted: { type: "failed", of: "client", failure: { alert: "decrypt_error" } },
        view: "break",
      },
      ". Then press the button that leaves the check out. Who could stand in for the server then?",
    ],
    answer: [
      "Everybody who has ever seen its certificate, which is everybody. The check is the only thing between a copied certificate and a connection.",
    ],
  },
  {
    id: "finished",
    title: "What Finished proves, and the downgrade it cannot see",
    sections: ["4.2.3", "4.5.3", "E.1"],
    paragraphs: [
      [
        "The hellos travel in the clear, and anybody on the way can change them: take the strong suites out of the list, say. ",
        {
          text: "Finished",
          scenario: "full",
          wanted: message("client", "received", "finished"),
          view: "transcript",
        },
        " ends this. It is a MAC over the whole transcript, with a key that comes out of the key exchange. If it is right, both ends have seen the same messages, byte for byte, and have the same keys.",
      ],
      [
        "Each end sends one, and ",
        {
          text: "is connected",
          scenario: "full",
          wanted: { type: "connected", of: "server" },
          view: "ends",
        },
        " only when it has checked the other's: before that it takes no data from it, 0-RTT data apart. With a pre-shared key there is no certificate: there it is Finished that shows that the server has the key. ",
        {
          text: "A wrong one",
          scenario: "full",
          breaks: "bad-finished",
          wanted: { type: "failed", of: "client", failure: { alert: "decrypt_error" } },
          view: "break",
        },
        " ends the connection.",
      ],
      [
        "One change it cannot see: a client that also speaks TLS 1.2 can be told that the server knows nothing better. Then the rules of TLS 1.2 hold, and its Finished is only as good as its weaker key exchange. So a server of TLS 1.3 that answers in TLS 1.2 writes `DOWNGRD` into the last 8 bytes of its random. With (EC)DHE the server of TLS 1.2 signs both randoms together with its share, so nobody can take those bytes out again; with RSA key transport it signs nothing, and there the sentinel protects nobody. A client that offered TLS 1.3 and ",
        {
          text: "reads those bytes",
          scenario: "full",
          breaks: "downgrade",
          wanted: { type: "failed", of: "client", failure: { alert: "illegal_parameter" } },
          view: "break",
        },
        " knows that somebody has changed its offer.",
      ],
    ],
    question: [
      "Somebody ",
      {
        text: "flips one bit of the client's random",
        scenario: "full",
        breaks: "flip-hello",
        wanted: { type: "wire", record: { from: "client", fate: "changed" } },
        view: "bytes",
      },
      ". Go on step by step. Does the handshake get as far as Finished?",
    ],
    answer: [
      "No. The transcript hash is part of every key, so the client cannot even open the first encrypted record: bad_record_mac, long before a Finished. In TLS 1.3, Finished is the last net of several.",
    ],
  },
]
