// Faults that the model has to find, each with the promise that it breaks. Three kinds: a row of a transition table, a text in a
// source, from which the model is then read anew, and an assumption that is left out.

import type { TransitionRow } from "../src/handshake/transitions.ts"
import type { Defines } from "./variants.ts"

export interface Planted {
  /** What is wrong. */
  readonly fault: string
  /** Where it shows. */
  readonly defines: Defines
  /** Which promise is broken; any of several, when a search may come to either first. */
  readonly breaks: readonly string[]
  readonly row?: { readonly role: "client" | "server"; readonly with?: TransitionRow; readonly without?: TransitionRow }
  /** Each text stands exactly once in its file, which is in packages/tls13/src. */
  readonly source?: readonly { readonly file: string; readonly from: string; readonly to: string }[]
  /** It takes a second or so: in CI, too. */
  readonly quick?: true
}

const honest = { HONEST: 1 }
const cheap = { TAMPERS: 0, DATA: 0 }

const oneSecret = [
  {
    file: "schedule/key-schedule.ts",
    from: 'this.#secret.derive("s ap traffic"',
    to: 'this.#secret.derive("c ap traffic"',
  },
]

export const planted: readonly Planted[] = [
  /* ---------------------------------------------------------------- rows of the tables */
  {
    fault: "the client goes from WAIT_CERT_CR to CONNECTED by a Finished",
    row: { role: "client", with: { from: "WAIT_CERT_CR", message: "finished", to: "CONNECTED" } },
    defines: cheap,
    breaks: ["authentication"],
    quick: true,
  },
  {
    fault: "the client takes a Finished in the place of CertificateVerify",
    row: { role: "client", with: { from: "WAIT_CV", message: "finished", to: "CONNECTED" } },
    defines: cheap,
    breaks: ["authentication"],
    quick: true,
  },
  {
    fault: "the client needs no CertificateVerify",
    row: { role: "client", with: { from: "WAIT_CERT_CR", message: "certificate", to: "WAIT_FINISHED" } },
    defines: cheap,
    breaks: ["authentication"],
  },
  {
    fault: "the client waits for Finished after EncryptedExtensions, without a PSK, too",
    row: { role: "client", with: { from: "WAIT_SH", message: "server_hello", to: "WAIT_FINISHED" } },
    defines: cheap,
    breaks: ["authentication"],
  },
  {
    fault: "the server takes a Finished in the place of the certificate that it requires",
    row: { role: "server", with: { from: "WAIT_CERT", message: "finished", to: "CONNECTED" } },
    defines: { ...cheap, ASKS: 2 },
    breaks: ["authentication"],
    quick: true,
  },
  {
    fault: "the server takes a Finished in the place of CertificateVerify",
    row: { role: "server", with: { from: "WAIT_CV", message: "finished", to: "CONNECTED" } },
    defines: { ...cheap, ASKS: 2 },
    breaks: ["authentication"],
  },
  {
    fault: "the server is CONNECTED by a ClientHello",
    row: { role: "server", with: { from: "START", message: "client_hello", to: "CONNECTED" } },
    defines: cheap,
    breaks: ["authentication"],
  },
  {
    fault: "the client refuses the certificate after a CertificateRequest",
    row: { role: "client", without: { from: "WAIT_CERT", message: "certificate", to: "WAIT_CV" } },
    defines: { ...honest, ASKS: 2 },
    breaks: ["completes"],
    quick: true,
  },
  {
    fault: "the client refuses every HelloRetryRequest",
    row: { role: "client", without: { from: "WAIT_SH", message: "server_hello", to: "WAIT_SH" } },
    defines: { ...honest, SERVER_GROUPS: 2 },
    breaks: ["completes"],
  },
  {
    fault: "the server has no way out of WAIT_EOED",
    row: { role: "server", without: { from: "WAIT_EOED", message: "end_of_early_data", to: "WAIT_FINISHED" } },
    defines: { ...honest, PSK: 1, EARLY: 1 },
    breaks: ["completes"],
  },
  {
    fault: "the server refuses a compressed certificate",
    row: { role: "server", without: { from: "WAIT_CERT", message: "compressed_certificate", to: "WAIT_CV" } },
    defines: { ...honest, ASKS: 2, COMPRESSED: 1 },
    breaks: ["completes"],
  },
  {
    fault: "the client refuses KeyUpdate",
    row: { role: "client", without: { from: "CONNECTED", message: "key_update", to: "CONNECTED" } },
    defines: { ...honest, UPDATES: 1 },
    breaks: ["completes"],
  },
  {
    fault: "the client begins anew with a ServerHello that comes when it is CONNECTED",
    row: { role: "client", with: { from: "CONNECTED", message: "server_hello", to: "WAIT_EE" } },
    defines: { ...cheap, PSK: 1, PSK_KNOWN: 1, MODES: 2 },
    breaks: ["key_order"],
    quick: true,
  },

  /* ---------------------------------------------------------------- sources */
  {
    fault: "a signature is taken without being verified",
    source: [
      {
        file: "handshake/proofs.ts",
        from: 'if ((yield* decide("VerifySignature", answer)) !== true) {',
        to: 'if ((yield* decide("VerifySignature", answer)) === undefined) {',
      },
    ],
    defines: cheap,
    breaks: ["authentication"],
    quick: true,
  },
  {
    fault: "the binder of a PSK is taken without being verified",
    source: [
      {
        file: "handshake/proofs.ts",
        from: "if (!verifyFinished(hash, binderKey, truncatedHash, binder)) {",
        to: "if (binder.length === 0) {",
      },
    ],
    defines: { PSK: 1, ...cheap },
    breaks: ["psk_proven"],
  },
  {
    fault: "a Finished is taken without being verified",
    source: [
      {
        file: "handshake/proofs.ts",
        from: "if (!verifyFinished(hash, baseKey, transcriptHash, verifyData)) {",
        to: "if (verifyData.length === 0) {",
      },
    ],
    defines: cheap,
    breaks: ["authentication", "agreement"],
  },
  {
    fault: "CertificateVerify is over no transcript",
    source: [
      {
        file: "codec/certificate-verify.ts",
        from: "new Uint8Array(1), transcriptHash)",
        to: "new Uint8Array(1), new Uint8Array(transcriptHash.length))",
      },
    ],
    defines: cheap,
    breaks: ["agreement"],
    quick: true,
  },
  {
    fault: "the key exchange does not go into the secrets",
    source: [
      {
        file: "schedule/key-schedule.ts",
        from: 'this.#secret.next("handshake_secret", sharedSecret)',
        to: 'this.#secret.next("handshake_secret", sharedSecret && undefined)',
      },
    ],
    defines: cheap,
    breaks: ["agreement", "secrecy"],
    quick: true,
  },
  {
    fault: "both directions of application data have one secret",
    source: oneSecret,
    defines: { TAMPERS: 0 },
    breaks: ["data_origin"],
    quick: true,
  },
  {
    fault: "both directions have one secret, and close_notify comes back",
    source: oneSecret,
    defines: { ...cheap, CLOSES: 1 },
    breaks: ["clean_end"],
  },
  {
    fault: "both directions have one secret, and both ends send",
    source: oneSecret,
    defines: honest,
    breaks: ["fresh_nonce"],
    quick: true,
  },
  {
    fault: "the transcript begins anew with a HelloRetryRequest",
    source: [
      {
        file: "schedule/transcript.ts",
        from: "transcript.add(clientHello1Hash)",
        to: "transcript.add(new Uint8Array(clientHello1Hash.length))",
      },
    ],
    defines: { SERVER_GROUPS: 2, DATA: 0 },
    breaks: ["agreement"],
    quick: true,
  },
  {
    fault: "KeyUpdate is answered under the old keys",
    source: [
      {
        file: "handshake/key-update.ts",
        from: "  const next = nextTrafficSecret(suite.hash, traffic.secret)\n",
        to: "  const next = nextTrafficSecret(suite.hash, traffic.secret).map((_, at) => traffic.secret[at]!)\n",
      },
    ],
    defines: { ...honest, UPDATES: 1 },
    breaks: ["fresh_keys"],
  },
  {
    fault: "the replay guard takes what it has taken",
    source: [
      {
        file: "session/replay-guard.ts",
        from: "if (this.#taken.has(name) || this.#taken.size",
        to: "if (this.#taken.size",
      },
    ],
    defines: { ...cheap, SERVERS: 2, PSK: 1, EARLY: 1 },
    breaks: ["early_once"],
    quick: true,
  },

  /* ---------------------------------------------------------------- checks, and what is assumed */
  {
    fault: "the client takes a certificate for any name",
    defines: { ...cheap, CHECKS_server_identity: 0 },
    breaks: ["authentication"],
  },
  {
    fault: "the client's late CertificateVerify is not verified",
    defines: { LATE: 1, ...cheap, CHECKS_late_certificate_verify: 0 },
    breaks: ["agreement"],
  },
  {
    fault: "servers that share tickets have a replay guard each",
    defines: { ...cheap, SERVERS: 2, PSK: 1, EARLY: 1, SHARED_GUARD: 0 },
    breaks: ["early_once"],
    quick: true,
  },
  {
    fault: "two clients draw the same random bytes and the same key share",
    defines: { ...cheap, CLIENTS: 2, FRESH: 0 },
    breaks: ["once"],
  },
  {
    fault: "psk_ke, and the PSK leaks later",
    defines: { PSK: 1, MODES: 2, LEAKS: 1, ...cheap },
    breaks: ["forward_secrecy"],
    quick: true,
  },
]
