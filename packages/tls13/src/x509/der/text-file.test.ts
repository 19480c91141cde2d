import { describe, expect, it } from "vitest"
import { makeRoot } from "../../../tests/x509/pki.ts"
import { utf8ToBytes } from "../../bytes/text.ts"
import { toPem } from "../index.ts"
import { textOfFile } from "./text-file.ts"

const wanted = "wanted is a poem"
const problem = (bytes: Uint8Array, pem = false): string => {
  const read = textOfFile(bytes, wanted, pem)
  return "problem" in read ? read.problem : `text: ${read.text}`
}
const root = makeRoot()
const utf16 = (text: string, swapped: boolean): Uint8Array => {
  const bytes = Buffer.from(text, "utf16le")
  return swapped ? bytes.swap16() : bytes
}

describe("a text file", () => {
  it.each([
    ["plain", "one\ntwo\n", "one\ntwo\n"],
    ["without a line end", "one", "one"],
    ["with Windows line ends", "one\r\ntwo\r\n", "one\r\ntwo\r\n"],
    ["beyond ASCII", "m\u00fcller\n\u65e5\u672c \u{1f600}\n", "m\u00fcller\n\u65e5\u672c \u{1f600}\n"],
    ["with a byte order mark", "\ufeffone\n", "one\n"],
    ["put together of two with one each", "\ufeffone\n\ufefftwo\n", "one\ntwo\n"],
    ["that begins as DER does", "0123456789", "0123456789"],
    ["with tabs and escapes", "a\tb\u001b[0m\f\n", "a\tb\u001b[0m\f\n"],
    ["of one character and a line end", "a\n", "a\n"],
  ])("%s", (_, source, text) => {
    expect(textOfFile(utf8ToBytes(source), wanted)).toEqual({ text })
  })

  const der = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"))
  it.each<[string, Uint8Array, RegExp]>([
    ["nothing", new Uint8Array(0), /^it is empty; wanted is a poem$/],
    ["nothing but a mark", utf8ToBytes("\ufeff"), /^it is empty; wanted/],
    ["nothing but spaces", utf8ToBytes(" \r\n\t\n"), /^it is empty; wanted/],
    ["UTF-16 with a mark", utf16("\ufeffone", false), /^it is text in UTF-16; .*`iconv -f UTF-16 -t UTF-8/],
    ["UTF-16 with a mark, big end first", utf16("\ufeffone", true), /^it is text in UTF-16; /],
    ["UTF-16 without a mark", utf16("one\ntwo", false), /^it is text in UTF-16; /],
    ["UTF-16 without a mark, big end first", utf16("one\ntwo", true), /^it is text in UTF-16; /],
    ["Latin-1", Buffer.from("one\nm\xfcller", "latin1"), /^line 2 is not UTF-8, so .*Latin-1; .*`iconv -f ISO-8859-1/],
    ["a character cut short", utf8ToBytes("\u00fc").subarray(0, 1), /^line 1 is not UTF-8/],
    ["an overlong form", Uint8Array.of(0xc0, 0xaf), /^line 1 is not UTF-8/],
    ["PKCS#12", der("MIACAQMwgAYJKoZIhvcNAQcBoIA="), /^it is a PKCS#12 file; wanted is a poem$/],
    ["a certificate in DER", root.der, /^it is a certificate; wanted/],
    ["a certificate in PEM", utf8ToBytes(toPem("CERTIFICATE", root.der)), /^it is a certificate; wanted/],
    ["PEM of something else", utf8ToBytes(toPem("POEM", root.der)), /^it is PEM \(POEM\); wanted/],
    ["an OpenSSH public key", utf8ToBytes("ssh-ed25519 AAAAC3Nz a@b"), /^it is an OpenSSH public key; wanted/],
    ["a program", Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0), /^it is a binary file, not text; wanted/],
    ["bytes without a zero", Uint8Array.of(0x1f, 0x8b, 8, 1, 2, 0xff), /^it is a binary file, not text; wanted/],
  ])("%s: what it is and what to do, in one clause", (_, bytes, said) => {
    expect(problem(bytes)).toMatch(said)
    expect(problem(bytes)).not.toContain("\n")
  })

  it("PEM is text where it is wanted", () => {
    const pem = toPem("CERTIFICATE", root.der)
    expect(problem(utf8ToBytes(`\ufeff${pem}`), true)).toBe(`text: ${pem}`)
  })

  it("a long text is read in time and memory that grow with it", () => {
    const text = `${"user alice readwrite a/b/c/d\n".repeat(100_000)}user m\u00fcller read a\n`
    expect(textOfFile(utf8ToBytes(text), wanted)).toEqual({ text })
  })
})
