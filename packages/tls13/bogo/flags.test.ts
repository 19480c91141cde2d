import { describe, expect, it } from "vitest"
import { createNobleProvider } from "../src/crypto/noble/index.ts"
import { parseFlags } from "./flags.ts"
import { Unimplemented } from "./outcomes.ts"
import { policyOf } from "./policy.ts"
import { runShim } from "./shim.ts"

const here = new AbortController().signal
const provider = createNobleProvider()

describe("the flags of BoringSSL's shim", () => {
  it("go to all connections, or to those of their prefix", () => {
    const flags = parseFlags(["-port", "7", "-on-initial-curves", "29", "-on-resume-verify-fail", "-on-shim-server"])
    expect(flags.initial.number("-port")).toBe(7)
    expect([flags.initial, flags.resume, flags.retry].map((each) => each.numbers("-curves"))).toEqual([
      [29],
      undefined,
      undefined,
    ])
    expect(flags.resume.has("-verify-fail")).toBe(true)
    expect(flags.retry.has("-verify-fail")).toBe(false)
    expect(flags.retry.has("-server")).toBe(true)
  })

  it("of credentials belong to the one that was begun last", () => {
    const { initial } = parseFlags([
      ...["-key-file", "a", "-new-x509-credential", "-key-file", "b"],
      ...["-new-rpk-credential", "-key-file", "c", "-signing-prefs", "1027", "-signing-prefs", "2052"],
    ])
    expect(initial.text("-key-file")).toBe("a")
    expect(initial.credentials.map(({ kind, flags }) => [kind, flags.text("-key-file")])).toEqual([
      ["x509", "b"],
      ["rpk", "c"],
    ])
    expect(initial.credentials[1]!.flags.numbers("-signing-prefs")).toEqual([1027, 2052])
  })

  it("of a policy take the place of the others", () => {
    const policy = (...args: string[]) => policyOf(parseFlags(args).initial)
    expect(policy("-curves", "29")).toBeUndefined()
    expect(policy("-curves", "29", "-wpa-202304")).toMatchObject({
      cipherSuites: ["TLS_AES_256_GCM_SHA384"],
      groups: [0x0018],
    })
  })

  it("that nobody knows make a test unimplemented", () => {
    expect(() => parseFlags(["-dtls"])).toThrow(Unimplemented)
    expect(() => parseFlags(["-port", "1", "-no-such-flag"])).toThrow("flag -no-such-flag")
  })
})

describe("a run of the shim", () => {
  it.each([
    [["-dtls"], "flag -dtls"],
    [["-max-version", "771"], "TLS 1.2 and below"],
    [["-no-tls13"], "TLS 1.2 and below"],
    [["-curves", "514"], "group 0x202"],
    [["-cnsa1-202603"], "group 0x202"],
    [["-cnsa2-202603", "-server"], "group 0x202"],
  ])("with %j ends with 89 before it connects", async (args, unimplemented) => {
    expect(await runShim(args, provider, here)).toEqual({ status: 89, output: "", errors: "", unimplemented })
  })

  it("answers that there is no second process", async () => {
    expect(await runShim(["-is-handshaker-supported"], provider, here)).toMatchObject({ status: 0, output: "No\n" })
  })

  it("that cannot connect fails", async () => {
    const { status, errors } = await runShim(["-port", "1", "-shim-id", "1"], provider, here)
    expect(status).toBe(1)
    expect(errors).toContain("ECONNREFUSED")
  })
})
