// Reads the answer to one HTTP/1.1 request (RFC 9112) from the bytes of a server that is not trusted to send any: each part has
// a limit, and what two readers could understand in two ways is refused.
//
// It takes: a status line, fields, and a body by Content-Length, chunks, or the end of the connection. It refuses folded
// fields, bare line ends, codings other than chunked, and two lengths that differ. What comes before the answer (1xx) is left
// out; 101 is refused.

/** Bytes of the status line and all fields, and how many fields; bytes of what stands behind the last chunk. */
export const maximumHead = 16_384
export const maximumFields = 100
const maximumTrailer = 4096
/** Interim answers. */
const maximumInterim = 8

export interface Answer {
  readonly status: number
  readonly body: Uint8Array
  /** The connection may carry another request. */
  readonly reusable: boolean
}

/** "more": it is not whole yet. */
export type Progress = "more" | Answer | { readonly problem: string }

type Body =
  | { readonly by: "length"; left: number }
  | { readonly by: "chunks"; left: number; state: "size" | "data" | "end of data" | "trailer"; trailer: number }
  | { readonly by: "close" }

class Unreadable extends Error {}

export class AnswerReader {
  readonly #maximumBody: number
  #bytes: Uint8Array = new Uint8Array(0)
  #status = 0
  #keepsOpen = false
  #body: Body | undefined
  readonly #parts: Uint8Array[] = []
  #length = 0
  #interim = 0
  #over = false
  /** Something has come. */
  begun = false

  constructor(maximumBody: number) {
    this.#maximumBody = maximumBody
  }

  /** Takes what has come; it may be written to afterwards. */
  push(chunk: Uint8Array): Progress {
    if (this.#over) return { problem: "it sends more than an answer" }
    if (chunk.length > 0) this.begun = true
    this.#bytes = joined([this.#bytes, chunk])
    return this.#read(() => this.#go())
  }

  /** The connection has ended in good order. */
  end(): Progress {
    return this.#read(() => {
      if (this.#body?.by === "close") return this.#done(false)
      throw new Unreadable(this.begun ? "it closed the connection within its answer" : "it closed the connection")
    })
  }

  #read(work: () => Answer | "more"): Progress {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      this.#over = true
      return { problem: error.message }
    }
  }

  #go(): Answer | "more" {
    while (this.#body === undefined) if (!this.#readHead()) return "more"
    const body = this.#body
    if (body.by === "chunks") return this.#readChunks(body)
    this.#take(body.by === "close" ? this.#bytes.length : Math.min(body.left, this.#bytes.length))
    if (body.by === "close") return "more"
    return body.left === 0 ? this.#done(this.#keepsOpen) : "more"
  }

  /** False: it is not whole. */
  #readHead(): boolean {
    const end = endOfHead(this.#bytes)
    if (end > maximumHead || (end < 0 && this.#bytes.length > maximumHead))
      throw new Unreadable(`the head of its answer has more than ${maximumHead} bytes`)
    if (end < 0) {
      refuseOther(this.#bytes)
      return false
    }
    const lines = latin1(this.#bytes.subarray(0, end - 4)).split("\r\n")
    this.#bytes = this.#bytes.subarray(end)
    const [minor, status] = statusOf(lines[0] ?? "")
    const fields = fieldsOf(lines.slice(1))
    if (status < 200) {
      if (status === 101) throw new Unreadable("it changes the protocol, which nobody asked for")
      if (++this.#interim > maximumInterim) throw new Unreadable("it sends interim answers without end")
      return true
    }
    this.#status = status
    const connection = (fields.get("connection") ?? "").toLowerCase()
    this.#keepsOpen = minor === 1 && !/(^|[\s,])close([\s,]|$)/.test(connection)
    this.#body = this.#bodyOf(status, fields)
    return true
  }

  #bodyOf(status: number, fields: ReadonlyMap<string, string>): Body {
    const coding = fields.get("transfer-encoding")
    const length = fields.get("content-length")
    if (status === 204 || status === 304) return { by: "length", left: 0 }
    if (coding !== undefined) {
      if (length !== undefined) throw new Unreadable("its answer has both Content-Length and Transfer-Encoding")
      if (coding.toLowerCase() !== "chunked")
        throw new Unreadable("its answer has a transfer coding other than chunked")
      return { by: "chunks", left: 0, state: "size", trailer: 0 }
    }
    if (length === undefined) return { by: "close" }
    const lengths = new Set(length.split(",").map((each) => each.trim()))
    const [one = ""] = lengths
    if (lengths.size !== 1 || !/^\d{1,15}$/.test(one)) throw new Unreadable("its answer has no usable Content-Length")
    if (Number(one) > this.#maximumBody) throw this.#tooLong()
    return { by: "length", left: Number(one) }
  }

  #readChunks(body: Extract<Body, { by: "chunks" }>): Answer | "more" {
    for (;;) {
      if (body.state === "data") {
        const count = Math.min(body.left, this.#bytes.length)
        this.#take(count)
        body.left -= count
        if (body.left > 0) return "more"
        body.state = "end of data"
      }
      const line = this.#line(body.state === "trailer" ? maximumTrailer : 256)
      if (line === undefined) return "more"
      if (body.state === "end of data") {
        if (line !== "") throw new Unreadable("a chunk of its answer does not end where it says")
        body.state = "size"
      } else if (body.state === "size") {
        const size = /^([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?$/.exec(line)?.[1]
        if (size === undefined) throw new Unreadable("a chunk of its answer has no size")
        body.left = Number.parseInt(size, 16)
        if (this.#length + body.left > this.#maximumBody) throw this.#tooLong()
        body.state = body.left === 0 ? "trailer" : "data"
      } else {
        body.trailer += line.length
        if (body.trailer > maximumTrailer) throw new Unreadable("its answer has too much behind its last chunk")
        if (line === "") return this.#done(this.#keepsOpen)
      }
    }
  }

  /** Without its end; undefined: it is not whole. */
  #line(most: number): string | undefined {
    const end = this.#bytes.indexOf(0x0a)
    if (end > most || (end < 0 && this.#bytes.length > most)) throw new Unreadable("a line of its answer is too long")
    if (end < 0) return undefined
    if (this.#bytes[end - 1] !== 0x0d) throw new Unreadable("a line of its answer has no proper end")
    const line = latin1(this.#bytes.subarray(0, end - 1))
    this.#bytes = this.#bytes.subarray(end + 1)
    return line
  }

  #take(count: number): void {
    if (count === 0) return
    if (this.#length + count > this.#maximumBody) throw this.#tooLong()
    this.#parts.push(this.#bytes.subarray(0, count))
    this.#length += count
    this.#bytes = this.#bytes.subarray(count)
    if (this.#body?.by === "length") this.#body.left -= count
    // Many small chunks would be many small arrays.
    if (this.#parts.length > 64) this.#parts.splice(0, this.#parts.length, joined(this.#parts))
  }

  #tooLong(): Unreadable {
    return new Unreadable(`its answer has more than ${this.#maximumBody} bytes`)
  }

  #done(reusable: boolean): Answer {
    this.#over = true
    return { status: this.#status, body: joined(this.#parts), reusable: reusable && this.#bytes.length === 0 }
  }
}

/** Offset behind the empty line; -1: there is none yet. */
function endOfHead(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(0x0d); at >= 0 && at < maximumHead; at = bytes.indexOf(0x0d, at + 1)) {
    if (bytes[at + 1] === 0x0a && bytes[at + 2] === 0x0d && bytes[at + 3] === 0x0a) return at + 4
  }
  return -1
}

/** What does not begin as an answer is none: nobody waits for its end. */
function refuseOther(bytes: Uint8Array): void {
  const begins = latin1(bytes.subarray(0, 5))
  if (!"HTTP/".startsWith(begins)) throw new Unreadable("what it sends is no HTTP")
}

function statusOf(line: string): [minor: number, status: number] {
  const [, minor, status] = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: .*)?$/.exec(line) ?? []
  if (minor === undefined || status === undefined) throw new Unreadable("what it sends is no HTTP/1.1")
  return [Number(minor), Number(status)]
}

/** Those of one name in one text, with commas between them. */
function fieldsOf(lines: readonly string[]): ReadonlyMap<string, string> {
  if (lines.length > maximumFields) throw new Unreadable(`its answer has more than ${maximumFields} fields`)
  const fields = new Map<string, string>()
  for (const line of lines) {
    const [head = "", name] = /^([!#$%&'*+.^_`|~\w-]+):/.exec(line) ?? []
    const value = line.slice(head.length).trim()
    if (name === undefined || /[^\t\x20-\x7e\x80-\xff]/.test(value))
      throw new Unreadable("a field of its answer is none")
    const key = name.toLowerCase()
    const before = fields.get(key)
    fields.set(key, before === undefined ? value : `${before},${value}`)
  }
  return fields
}

function latin1(bytes: Uint8Array): string {
  let text = ""
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

/** A copy. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
