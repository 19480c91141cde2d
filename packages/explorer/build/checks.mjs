// The checks of the stack that the page can leave out, to show what each of them is good for. The build puts a switch into each; a row
// that no longer fits its source fails the build.

/**
 * `condition`: of the one `if` in `file` that refuses; without the check it never holds.
 * `find` and `replace`: where leaving it out takes more than that.
 */
export const checks = [
  {
    name: "finished",
    file: "handshake/proofs.ts",
    condition: "!verifyFinished(hash, baseKey, transcriptHash, verifyData)",
  },
  {
    name: "certificate-verify",
    file: "handshake/proofs.ts",
    condition: '(yield* decide("VerifySignature", answer)) !== true',
  },
  {
    name: "psk-binder",
    file: "handshake/proofs.ts",
    condition: "!verifyFinished(hash, binderKey, truncatedHash, binder)",
  },
  {
    name: "downgrade-sentinel",
    file: "handshake/client/server-hello.ts",
    condition: "hasDowngradeSentinel(hello.random)",
  },
  {
    name: "cipher-suite-offered",
    file: "handshake/client/server-hello.ts",
    condition: "suite === undefined || !offer.hello.cipherSuites.includes(hello.cipherSuite)",
    // What a client was not told to offer it has nevertheless, when its cryptography has it.
    also: [
      [
        "const suite = settings.cipherSuites.find(({ code }) => code === hello.cipherSuite)\n",
        'const suite = (isCut("cipher-suite-offered") ? settings.provider : settings).cipherSuites.find(({ code }) => code === hello.cipherSuite)\n',
      ],
    ],
  },
  {
    name: "record-in-the-clear",
    file: "record/record-reader.ts",
    // The first of two: a handshake record.
    find: `        if (this.protection) {
          // Section 5.2: once protection has started`,
    replace: `        if (!isCut("record-in-the-clear") && this.protection) {
          // Section 5.2: once protection has started`,
  },
  {
    name: "small-order-point",
    file: "crypto/montgomery-group.ts",
    condition: "shared === undefined || isAllZero(shared)",
    // A provider that refuses such points itself gives no secret: what everybody can compute is all zeros.
    also: [["return shared\n", 'return isCut("small-order-point") ? (shared ?? new Uint8Array(32)) : shared!\n']],
  },
  {
    name: "replay",
    file: "session/replay-guard.ts",
    condition: "this.#taken.has(name) || this.#taken.size >= this.#entries",
  },
  { name: "server-name", file: "x509/path/verifier.ts", condition: "named" },
  {
    name: "certificate-path",
    file: "x509/path/verifier.ts",
    find: "if (!verdict.accepted) {",
    replace: `if (isCut("certificate-path") && !verdict.accepted) return accepted(leaf.publicKey!, verification, nameText(leaf.subject), [leaf]); if (!verdict.accepted) {`,
  },
]
