import { describe, expect, it } from "vitest"
import { encodeText } from "../packet/bytes.ts"
import { decodeAnswer, decodeNews, decodeOffer, decodeOwner, encodeOffer, encodeWords, takenOf } from "./group-words.ts"

const share = "$share/g/t"
const news = {
  ...{ share, node: "n", all: true, part: 1, more: false },
  settled: [[0, 7, "c", true]],
  parting: [{ clientId: "c", gone: false }],
  coming: [{ clientId: "d", lasting: true }],
  joining: [{ clientId: "e", qos: 2, lasting: true, claim: 5, held: [[1, 8]] }],
}
const noWords = ["", "null", "1", "[]", "{}", '"other"']

/** Those that the object becomes with each of its fields as something else. */
function broken(words: object): string[] {
  const others = [null, 1, "x", {}, [null], [[]], [{}]]
  return Object.keys(words).flatMap((name) => {
    const type = typeof (words as Record<string, unknown>)[name]
    return others.flatMap((other) =>
      typeof other === type && type !== "object" ? [] : JSON.stringify({ ...words, [name]: other }),
    )
  })
}

// What had no list of members, say, was kept until a group stood, and it never did.
describe("what nodes say of Shared Subscriptions", () => {
  it("is taken when it is complete", () => {
    expect(decodeNews(encodeWords(news))).toEqual(news)
    for (const answer of ["taken", "elsewhere", { refused: ["c"] }, { failed: "why" }] as const)
      expect(decodeAnswer(encodeWords(answer))).toEqual(answer)
    for (const said of [
      { share, node: "n" },
      { share, node: "n", over: true },
    ])
      expect(decodeOwner(encodeWords(said))).toEqual(said)
  })

  it.each([...noWords, ...broken(news)])("news that are %s are none", (text) => {
    expect(decodeNews(encodeText(text))).toBeUndefined()
  })

  it.each([...noWords, '{"refused":1}', '{"refused":[1]}', '{"failed":1}'])("%s is no answer", (text) => {
    expect(decodeAnswer(encodeText(text))).toBeUndefined()
  })

  it.each([...noWords, ...broken({ share, node: "n", over: true })])("%s says no owner", (text) => {
    expect(decodeOwner(encodeText(text))).toBeUndefined()
  })

  const position = { partition: 1, sequence: 8 }
  const beside = { properties: new Uint8Array(0), payload: new Uint8Array(3), publisher: "p", position }
  const message = { topic: "t", qos: 2, retain: false, expiresAt: Number.POSITIVE_INFINITY, ...beside } as const
  const offer = { share, clientId: "c", message, done: { through: [1, 2], but: [[0, 1]] }, number: [3, 4] } as const

  it.each([1000, 10])("an offer within %i bytes is taken", (largest) => {
    const read = decodeOffer(encodeOffer(offer, largest))
    expect(read).toMatchObject({ share, clientId: "c", done: offer.done, number: [3, 4], place: [1, 8] })
    expect(read?.message?.topic).toBe(largest === 10 ? undefined : "t")
  })

  const { message: _, ...head } = offer
  it.each([...noWords, ...broken({ ...head, place: [1, 8] })])("%s is no offer", (text) => {
    const said = encodeText(text)
    expect(decodeOffer(Uint8Array.from([0, 0, 0, said.length, ...said]))).toBeUndefined()
  })

  // It threw, and the message that was offered was nobody's until its owner had gone.
  it.each([[], [0xff], [0x22, 0x6f], [...encodeText("keptt")]])("of bytes %s nothing is taken", (...bytes) => {
    expect(takenOf(Uint8Array.from(bytes))).toBeUndefined()
    expect(takenOf(encodeText("kept"))).toBe("kept")
  })
})
