// Lines that mosquitto_passwd has written, among ours.

import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { isInstalled } from "../../tests/cli-clients.ts"
import { argon2id } from "../platform/node-argon2.ts"
import { pbkdf2Sha512 } from "../platform/node-pbkdf2.ts"
import { checkPassword, parsePasswordFile, passwordLine, sameEntry, weaknessOf } from "./password-file.ts"
import { hashMemory, nobleArgon2id, noblePbkdf2Sha512, type PasswordHashes } from "./password-hash.ts"
import { nobleScrypt } from "./scrypt.ts"

const bytes = (text: string) => new TextEncoder().encode(text)

/** Of "wonder": the first two by mosquitto_passwd 2.0, the third with the parameters of 2.1 but less memory. */
const pbkdf2Line =
  "$7$101$txrxw/4unhHcjONd$00LwmWA2mCL5vhJtougH986pP9Qo9EXRsslZBmqKRDfSA53knqbB0WgiwQ6ASLKxBy6E79R8SItO1zbDKP+UlA=="
const sha512Line =
  "$6$80rTFPlW2Wpanl4E$drfBFCiy7aQqMYZjD9NcpUZf59p1mkg+hRo7aRFxMpfVAC/sse2o6soOst/wmEV8+6kDIPu1Uj9LqPfvg2Oq4Q=="
const argon2Line = `$argon2id$v=19$m=64,t=1,p=1$${"BwcH".repeat(21)}Bw$/JS/t0vuYkl649uAMtLsL8eMR85TJN7vgOW/haa36492Ek6m+L8T1XEePpttWdWM7HJT9DZH8CG9YToLTiZQdg`

const means: readonly (readonly [string, PasswordHashes])[] = [
  ["the host's", { scrypt: nobleScrypt, argon2id, pbkdf2Sha512 }],
  ["JavaScript", { scrypt: nobleScrypt, argon2id: nobleArgon2id, pbkdf2Sha512: noblePbkdf2Sha512 }],
  ["what is there without any", { scrypt: nobleScrypt }],
]

describe("passwords of Mosquitto", () => {
  it.each(means)("are checked by %s", async (_, hashes) => {
    const own = await passwordLine("own", "wonder", new Uint8Array(16), { ln: 10, r: 1, p: 1 })
    const users = parsePasswordFile(
      `# users\n  alice : ${pbkdf2Line} \r\nold:${sha512Line}\n${own}\nnew:${argon2Line}:SCRAM-SHA-256$4096:AAAAAAAAAAA=$${"A".repeat(43)}=:${"A".repeat(43)}=\n`,
    )
    expect([...users.keys()]).toEqual(["alice", "old", "own", "new"])
    expect(users.get("new")?.scram?.iterations).toBe(4096)
    for (const [user, entry] of users) {
      expect(await checkPassword(entry, bytes("wonder"), hashes), user).toBe(true)
      expect(await checkPassword(entry, bytes("wonders"), hashes), user).toBe(false)
      expect(await checkPassword(entry, bytes(""), hashes), user).toBe(false)
      expect(sameEntry(entry, entry)).toBe(true)
      for (const [name, other] of users) expect(sameEntry(entry, other)).toBe(name === user)
    }
    expect(weaknessOf(users)).toContain("2 of 4 users have a password that is weakly hashed")
    users.delete("old")
    users.delete("alice")
    expect(weaknessOf(users)).toBeUndefined()
  })

  it("costs what its line says, and no more than one login may", () => {
    const cost = (line: string) => parsePasswordFile(`a:${line}`).get("a")!.cost
    expect(hashMemory(cost(argon2Line.replace("m=64", "m=131072")))).toBe(128 * 1024 * 1024)
    expect(cost(pbkdf2Line.replace("101", "2000000"))).toEqual({ kind: "pbkdf2-sha512", iterations: 2_000_000 })
  })

  it.each([
    [argon2Line.replace("m=64", "m=131073"), "argon2id costs out of range"],
    [argon2Line.replace("m=64,t=1", "m=131072,t=5"), "argon2id costs out of range"],
    [argon2Line.replace("m=64", "m=7"), "argon2id costs out of range"],
    [argon2Line.replace("p=1", "p=5"), "argon2id costs out of range"],
    [argon2Line.replace("t=1", "t=0"), "argon2id costs out of range"],
    [argon2Line.replace("v=19", "v=16"), "expected $argon2id$v=19"],
    [argon2Line.replace("argon2id", "argon2i"), "expected NAME:$scrypt$"],
    [argon2Line.slice(0, -70), "the hash has 12 bytes"],
    [pbkdf2Line.replace("101", "2000001"), "iterations out of range (1 to 2000000)"],
    [pbkdf2Line.replace("101", "0"), "iterations out of range"],
    [pbkdf2Line.replace("101$", ""), "expected $7$ITERATIONS$SALT$HASH"],
    [pbkdf2Line.replace("txrx", "!!!!"), "salt or hash is not in base64"],
    [pbkdf2Line.replace("txrx", ""), "the salt has 9 bytes"],
    [`${pbkdf2Line}$`, "expected $7$ITERATIONS$SALT$HASH"],
    [sha512Line.replace("drfB", ""), "the hash has 61 bytes"],
    ["wonder", "expected NAME:$scrypt$..., not a password as it is"],
    ["", "expected NAME:$scrypt$"],
  ])("refuses %s", (line, what) => {
    expect(() => parsePasswordFile(`# x\nalice:${line}`)).toThrow(`line 2: ${what}`)
    // What is refused is not repeated: it may be a password.
    if (line === "wonder") expect(() => parsePasswordFile(`alice:${line}`)).not.toThrow(/wonder/)
  })

  it.skipIf(!isInstalled("mosquitto_passwd"))("is the one that mosquitto_passwd was given", async () => {
    const folder = mkdtempSync(join(tmpdir(), "puremq-"))
    try {
      const file = join(folder, "users")
      writeFileSync(file, "")
      execFileSync("mosquitto_passwd", ["-b", file, "bob", "pä:ss word"])
      const entry = parsePasswordFile(readFileSync(file, "utf8")).get("bob")!
      expect(await checkPassword(entry, bytes("pä:ss word"), means[0]![1])).toBe(true)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
