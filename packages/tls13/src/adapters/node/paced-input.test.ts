import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import type { HandshakeInfo } from "../../handshake/info.ts"
import { InputTurns } from "./input-turns.ts"
import { PacedInput } from "./paced-input.ts"

/** Milliseconds: work takes what it is said to, however busy the machine is. */
let clock = 0
beforeEach(() => void vi.spyOn(performance, "now").mockImplementation(() => clock))
afterEach(() => vi.restoreAllMocks())

const turn = () => new Promise((resolve) => setImmediate(resolve))

function fault(cause: unknown): never {
  throw cause
}

/** Of a connection whose handshake is over. */
function pacedInput(turns: InputTurns, setReading: (wanted: boolean) => void): PacedInput {
  const connection = { info: {} as HandshakeInfo }
  return new PacedInput(turns, { write: () => undefined, setReading }, connection, (work) => work())
}

/** A socket on which a KiB costs so many milliseconds. */
function socket(turns: InputTurns, milliseconds: number) {
  const pieces: Uint8Array[] = []
  const told: (boolean | "end")[] = []
  const input = pacedInput(turns, (wanted) => told.push(wanted))
  input.begin({
    receive(bytes) {
      clock += (milliseconds * bytes.length) / 1024
      pieces.push(bytes.slice())
    },
    receiveEnd: () => told.push("end"),
  })
  return { input, pieces, told, size: () => pieces.reduce((sum, { length }) => sum + length, 0) }
}

const bytes = Uint8Array.from({ length: 65_536 }, (_, i) => i % 251)

describe("input of a server's socket", () => {
  it("that costs much is worked on in small pieces, in order, and no more is read meanwhile", async () => {
    const turns = new InputTurns(fault, setImmediate)
    const dear = socket(turns, 1)
    dear.input.push(bytes)
    // At once: what is cheap as far as one knows, and 20 milliseconds of what is not.
    expect(dear.size()).toBeLessThan(48 * 1024)
    expect(dear.told).toEqual([false])
    dear.input.push(bytes)
    dear.input.end()
    for (let before = dear.size(); before < 2 * bytes.length; before = dear.size()) {
      await turn()
      expect(dear.size() - before).toBeLessThan(48 * 1024)
    }
    await turn()
    expect(dear.told).toEqual([false, "end"])
    expect(Buffer.concat(dear.pieces).equals(Buffer.concat([bytes, bytes]))).toBe(true)
    expect(Math.max(...dear.pieces.slice(1).map(({ length }) => length))).toBe(4096)
  })

  it("that is cheap does not stand behind it, and soon is not cut", async () => {
    const turns = new InputTurns(fault, setImmediate)
    const cheap = socket(turns, 0)
    // The first piece is a short one, to see what it costs.
    for (let i = 0; i < 2; i++) {
      cheap.input.push(bytes)
      await turn()
    }
    expect(cheap.pieces.at(-1)?.length).toBe(65_536)
    const dear = Array.from({ length: 10 }, () => socket(turns, 1))
    for (const { input } of dear) input.push(bytes)
    await turn()
    const before = cheap.size()
    cheap.input.push(bytes)
    for (let i = 0; i < 2 && cheap.size() === before; i++) await turn()
    expect(cheap.size()).toBe(before + bytes.length)
    expect(dear.some(({ size }) => size() < bytes.length)).toBe(true)
    while (dear.some(({ size }) => size() < bytes.length)) await turn()
    await turn()
    for (const { told } of dear) expect(told.at(-1)).toBe(true)
  })

  it("is neither read nor worked on while it is not wanted", async () => {
    const turns = new InputTurns(fault, setImmediate)
    const dear = socket(turns, 1)
    dear.input.push(bytes)
    dear.input.setReading(false)
    const before = dear.size()
    for (let i = 0; i < 5; i++) await turn()
    expect([dear.size(), dear.told]).toEqual([before, [false]])
    dear.input.setReading(true)
    while (dear.size() < bytes.length) await turn()
    await turn()
    expect(dear.told).toEqual([false, true])
  })

  it.each(["ends", "fails"])(
    "is worked on though it is not wanted when the stream below %s: no more can come",
    async (how) => {
      const turns = new InputTurns(fault, setImmediate)
      const dear = socket(turns, 1)
      dear.input.push(bytes)
      dear.input.setReading(false)
      let failed = false
      if (how === "ends") dear.input.end()
      else
        dear.input.afterwards(() => {
          failed = true
        })
      while (dear.size() < bytes.length) await turn()
      await turn()
      expect([dear.told, failed]).toEqual(how === "ends" ? [[false, "end"], false] : [[false], true])
    },
  )

  it("that is refused in the middle of a piece waits from there on", async () => {
    const turns = new InputTurns(fault, setImmediate)
    const pieces: number[] = []
    const input = pacedInput(turns, () => undefined)
    input.begin({
      receive(piece) {
        pieces.push(piece.length)
        if (pieces.length === 2) input.setReading(false)
      },
      receiveEnd: () => undefined,
    })
    input.push(bytes)
    for (let i = 0; i < 5; i++) await turn()
    expect(pieces).toHaveLength(2)
    input.setReading(true)
    for (let i = 0; i < 5; i++) await turn()
    expect(pieces.reduce((sum, length) => sum + length, 0)).toBe(bytes.length)
  })
})
