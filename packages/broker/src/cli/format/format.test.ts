import { describe, expect, it } from "vitest"
import type { Received } from "../../mqtt-client/received.ts"
import { PropertyId } from "../../packet/properties.ts"
import { parseFormat, printFormat } from "./format.ts"
import { jsonOf } from "./json.ts"

const plain: Received = {
  topic: "a/b",
  payload: Buffer.from("hello"),
  qos: 0,
  retain: false,
  packetId: 0,
  dup: false,
  properties: [],
}
const at = new Date("2026-11-29T01:44:18.007Z")

function printed(format: string, message: Partial<Received> = {}, pretty = false): string {
  const parts = printFormat(parseFormat(format), { ...plain, ...message }, at, pretty, () => undefined)
  return Buffer.concat(parts.map(({ part }) => Buffer.from(part))).toString("latin1")
}

describe("a format", () => {
  // What mosquitto_sub 2.0.11 prints, but for %10x: it cuts the payload to half of its bytes there.
  it.each([
    ["%5A|%05A|%5C|%5D|%5E|%05F|%5R|%-5S", "     |00000|     ||     |00000||     "],
    ["%10p|%-10p|%010p|%3p|%-3p|%.3p|%-p", "     hello|hello     |00000hello|hel|hel|hello|hello"],
    ["%10x|%-12x|%012X|%4x|%3x", "68656c6c6f|68656c6c6f  |0068656C6C6F|6865| 68"],
    ["%10t|%-5t|%010t|%2t|%.2t|%5.2t|%-5.2t|%.t", "       a/b|a/b  |       a/b|a/b|a/|   a/|a/   |"],
    ["%10l|%010l|%-3l|%-03l|%3m", "         5|0000000005|5  |5  |  0"],
    ["%10q|%10r|%10P|%%|%5%", "0|0||%|%"],
    ["@q @E @@ @N", "%q %E @ 007000000"],
    ["\\\\\\0\\a\\e\\n\\r\\t\\v", "\\\0\x07\x1b\n\r\t\v"],
  ])("%s", (format, wanted) => {
    expect(printed(format)).toBe(wanted)
  })

  it("has the seconds and their part", () => {
    expect(printed("%U")).toBe(`${Date.parse("2026-11-29T01:44:18Z") / 1000}.007000000`)
  })
})

describe("JSON", () => {
  it("has the payload in quotes, or as a list of bytes where it is no text, or null where JSON has nothing to be of", () => {
    const json = (payload: Buffer, as: "text" | "json") => jsonOf({ ...plain, payload }, at, as, false)
    expect(json(Buffer.from('h\u00e9\n"x\0'), "text")).toMatch(/,"payloadlen":7,"payload":"h\u00e9\\n\\"x\\u0000"}$/)
    expect(json(Buffer.of(0x68, 0xff, 0), "text")).toMatch(/,"payloadlen":3,"payload":\[104,255,0\]}$/)
    expect(json(Buffer.alloc(0), "text")).toMatch(/"payload":""}$/)
    expect(json(Buffer.alloc(0), "json")).toMatch(/"payload":null}$/)
    expect(json(Buffer.from(' [1.50,\n"a b\\"c" , true]'), "json")).toMatch(/"payload":\[1\.50,"a b\\"c",true\]}$/)
    for (const none of ["", "{", "1 2", "{'a':1}", "\ufeff1"].slice(1))
      expect(json(Buffer.from(none), "json")).toBeUndefined()
    expect(json(Buffer.of(0x22, 0xff, 0x22), "json")).toBeUndefined()
  })

  it("has properties where they came, and User Properties where the first one did", () => {
    const message: Received = {
      ...{ ...plain, qos: 2, packetId: 7 },
      properties: [
        { id: PropertyId.UserProperty, value: ["b", "1"] },
        { id: PropertyId.ContentType, value: "t" },
        { id: PropertyId.UserProperty, value: ["a", "2"] },
        { id: PropertyId.CorrelationData, value: Buffer.from("c") },
      ],
    }
    expect(jsonOf(message, at, "text", false)).toMatch(
      /"payloadlen":5,"mid":7,"properties":{"user-properties":{"b":"1","a":"2"},"content-type":"t","correlation-data":"c"},"payload":"hello"}$/,
    )
  })
})
