// The exercises of `npm run course`, in the order of a class: what is emptied, and which tests tell when a student has it right.

/**
 * `empty`: functions and methods by file below packages/tls13/src; a method is `Class.name`. Their bodies are taken out; their
 * signatures, and what stands in comments above them, stay.
 * `tests`: below packages/tls13. They are those of the project: what passes them is TLS 1.3.
 */
export const exercises = [
  {
    id: "reader",
    title: "The presentation language",
    read: "RFC 9846 section 3; bytes/reader.ts from its head, codec/key-update.ts",
    ask: "Write vectors with their bounds, and see to it that nothing is ever read past the end.",
    empty: {
      "bytes/reader.ts": ["Reader.uint24", "Reader.uint32", "Reader.#vector", "Reader.#need", "Reader.expectEnd"],
    },
    tests: ["src/codec/codec.test.ts", "tests/length-fields.test.ts"],
  },
  {
    id: "key-share",
    title: "One extension, in its three forms",
    read: "RFC 9846 section 4.3.8; codec/extensions/key-share.ts, codec/extensions/codec.ts",
    ask: "Write the two functions that read and write a KeyShareEntry: both hellos and HelloRetryRequest stand on them.",
    empty: { "codec/extensions/key-share.ts": ["decodeEntry", "encodeEntry", "encodeEntries"] },
    tests: ["src/codec/codec.test.ts"],
  },
  {
    id: "labels",
    title: "HKDF-Expand-Label",
    read: "RFC 9846 section 7.1, RFC 5869 section 2; schedule/labels.ts",
    ask: "Write the HkdfLabel structure and HKDF-Expand: everything that TLS 1.3 derives comes through here.",
    empty: { "schedule/labels.ts": ["hkdfExtract", "expandLabel", "hkdfLabel"] },
    tests: ["src/schedule/labels.test.ts"],
  },
  {
    id: "transcript",
    title: "The transcript hash",
    read: "RFC 9846 section 4.1; schedule/transcript.ts",
    ask: "Hash the messages as they come, and put message_hash in the place of the first ClientHello after a HelloRetryRequest.",
    empty: {
      "schedule/transcript.ts": ["Transcript.add", "hashWith", "Transcript.afterHelloRetryRequestFromHash"],
    },
    tests: ["src/schedule/transcript.test.ts"],
  },
  {
    id: "schedule",
    title: "The key schedule",
    read: "RFC 9846 section 7.1, its diagram; schedule/key-schedule.ts from its head",
    ask: "Climb down the left side of the diagram, and take each secret out on the right: the numbers of RFC 8448 must come out.",
    empty: {
      "schedule/key-schedule.ts": [
        ...["EarlyStage.start", "EarlyStage.toHandshake", "HandshakeStage.clientHandshakeTrafficSecret"],
        ...["HandshakeStage.serverHandshakeTrafficSecret", "HandshakeStage.toMain", "StageSecret.next"],
      ],
    },
    tests: ["src/schedule/key-schedule.test.ts", "src/schedule/rfc8448.test.ts"],
  },
  {
    id: "traffic",
    title: "Keys, Finished and KeyUpdate",
    read: "RFC 9846 sections 4.5.3, 4.7.1, 7.2 and 7.3; schedule/traffic.ts",
    ask: "From a traffic secret to key and iv, to the next generation, and to the MAC of Finished.",
    empty: { "schedule/traffic.ts": ["trafficKeys", "nextTrafficSecret", "finishedMac", "resumptionPsk"] },
    tests: ["src/schedule/traffic.test.ts"],
  },
  {
    id: "records",
    title: "Record protection",
    read: "RFC 9846 sections 5.2 and 5.3; record/protection.ts",
    ask: "Make the nonce of the iv and the sequence number, and count a record only when it has been opened.",
    empty: {
      "record/protection.ts": ["RecordProtection.seal", "RecordProtection.open", "RecordProtection.#nextNonce"],
    },
    tests: ["src/record/protection.test.ts", "src/record/rfc8448.test.ts"],
  },
  {
    id: "finished",
    title: "WAIT_FINISHED, a state of the client",
    read: "RFC 9846 section 4.5.3, appendix A.1; handshake/client/finished.ts, handshake/client/handshake.ts, handshake/proofs.ts",
    ask: "Check the server's Finished, derive the application secrets, send your own: the transcript goes on meanwhile.",
    empty: { "handshake/client/finished.ts": ["checkFinished", "applicationSecrets", "sendFinished"] },
    tests: ["src/connection/handshake.test.ts"],
  },
  {
    id: "key-update",
    title: "KeyUpdate, after the handshake",
    read: "RFC 9846 sections 4.7.3 and 7.2; handshake/key-update.ts",
    ask: "Take a KeyUpdate, and owe the peer one when it asks: one, however often it asks while you are silent.",
    empty: { "handshake/key-update.ts": ["receiveKeyUpdate", "answerKeyUpdate", "toNextGeneration"] },
    tests: ["src/connection/handshake.test.ts"],
  },
]
