import { describe, expect, it } from "vitest"
import { linesOf } from "./input-lines.ts"

async function* pieces(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text)
}

async function read(input: AsyncIterable<Buffer>, longest = 100): Promise<string[]> {
  const lines: string[] = []
  for await (const line of linesOf(input, longest, () => `line ${lines.length + 1}`)) lines.push(line)
  return lines
}

describe("lines of an input", () => {
  it.each<[string[], string[]]>([
    [[], []],
    [["a\nb\n"], ["a", "b"]],
    [
      ["a\n", "\n", "b"],
      ["a", "", "b"],
    ],
    [
      ["a", "b", "c\nd", "\r\n"],
      ["abc", "d\r"],
    ],
  ])("%j are %j", async (texts, lines) => expect(await read(pieces(...texts))).toEqual(lines))

  it("in pieces that cut characters", async () => {
    const bytes = Buffer.from("\u00e4\u20ac\n\ud83d\ude00")
    const each = async function* () {
      for (const byte of bytes) yield Buffer.of(byte)
    }
    expect(await read(each())).toEqual(["\u00e4\u20ac", "\ud83d\ude00"])
  })

  it("have so many bytes at most, and one more is not waited for", async () => {
    const most = "x".repeat(100)
    expect(await read(pieces(`${most}\n`, most))).toEqual([most, most])
    await expect(read(pieces("ok\n", `${most}x\n`))).rejects.toThrow("line 2 has more than 100 bytes")
    const endless = async function* () {
      for (;;) yield Buffer.from("xxxxxxx")
    }
    await expect(read(endless())).rejects.toThrow("line 1 has more than 100 bytes")
  })
})
