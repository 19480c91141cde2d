import { describe, expect, it } from "vitest"
import { SaslprepError, saslprep } from "./saslprep.ts"

describe("SASLprep", () => {
  it.each([
    ["I\u00adX", "IX"],
    ["user", "user"],
    ["USER", "USER"],
    ["\u00aa", "a"],
    ["\u2168", "IX"],
  ])("RFC 4013 section 3: %j becomes %j", (text, prepared) => {
    expect(saslprep(text, true)).toBe(prepared)
    expect(saslprep(text, false)).toBe(prepared)
  })

  it.each([
    ["\u0007", /U\+0007/],
    ["\u0627\u0031", /not at both of its ends/],
  ])("RFC 4013 section 3: %j is refused", (text, message) => {
    expect(() => saslprep(text, true)).toThrow(message)
    expect(() => saslprep(text, false)).toThrow(SaslprepError)
  })

  it("RFC 4013 section 2.1: every space is U+0020, and what cannot be seen in the middle of a word is nothing", () => {
    expect(saslprep("a\u00a0b\u1680c\u2003d\u202fe\u205ff\u3000g", true)).toBe("a b c d e f g")
    expect(saslprep("a\u034f\u1806\u180b\u180d\u200c\u200d\u2060\ufe00\ufe0f\ufeffb", true)).toBe("ab")
  })

  it("RFC 4013 section 2.2: what is written in two ways is one (NFKC)", () => {
    expect(saslprep("a\u0308lice", true)).toBe("\u00e4lice")
    expect(saslprep("\uff21\ufb01", true)).toBe("Afi")
  })

  it("text of ASCII is itself, with its spaces; the empty text too", () => {
    expect(saslprep("  two words ~ ", true)).toBe("  two words ~ ")
    expect(saslprep("", true)).toBe("")
  })

  // One or both ends of each table.
  it.each([
    ["C.2.1", ["\0", "\u001f", "\u007f"]],
    ["C.2.2", ["\u0080", "\u009f", "\u06dd", "\u070f", "\u180e", "\u2028", "\u2029", "\u2061", "\u2063", "\ufff9"]],
    ["C.2.2, musical", ["\u{1d173}", "\u{1d17a}"]],
    ["C.3", ["\ue000", "\uf8ff", "\u{f0000}", "\u{10fffd}"]],
    ["C.4", ["\ufdd0", "\ufdef", "\ufffe", "\uffff", "\u{1fffe}", "\u{10ffff}"]],
    ["C.5", ["\ud800", "\udfff"]],
    ["C.6", ["\ufffa", "\ufffd"]],
    ["C.7", ["\u2ff0", "\u2ffb"]],
    ["C.8", ["\u200e", "\u200f", "\u202a", "\u202e", "\u206a", "\u206f"]],
    ["C.9", ["\u{e0001}", "\u{e0020}", "\u{e007f}"]],
  ])("RFC 4013 section 2.3: characters of table %s are refused", (_, characters) => {
    for (const one of characters) expect(() => saslprep(`x${one}y`, false), JSON.stringify(one)).toThrow(SaslprepError)
  })

  it.each(["\u05d0\u05d1", "\u0627\u0628 \u0661\u0662\u0628", "\u05d0 1 \u05d1", "\u0661"])(
    "RFC 4013 section 2.4: %j goes",
    (text) => expect(saslprep(text, true)).toBe(text),
  )

  it.each(["\u05d0a\u05d1", "\u05d0\u0915\u05d1", "1\u05d0", "\u05d0-"])(
    "RFC 4013 section 2.4: %j is refused",
    (text) => expect(() => saslprep(text, true)).toThrow(SaslprepError),
  )

  it("RFC 4013 section 2.5: an unassigned code point may be asked for, not kept", () => {
    expect(saslprep("\u0378", false)).toBe("\u0378")
    expect(() => saslprep("\u0378", true)).toThrow("it has U+0378, which is unassigned")
  })
})
