// `tls13 serve --www`: HTTP/1.0, one answer and the end. A request's head is bounded in time and size, and so is what comes
// after the answer.

import type { TLSSocket } from "../adapters/node/tls-socket.ts"
import type { KeyRenewal } from "./key-renewal.ts"
import { summary } from "./summary.ts"

/** Bytes of a request's head, its empty line included. */
export const longestHead = 16_384
/** Seconds from the end of the handshake to the end of the head. */
export const headTime = 10
/** Milliseconds that a client has to take the answer and close. */
const lingering = 5000

/** What is done with a connection. */
export type Handler = (socket: TLSSocket, renewal: KeyRenewal) => void

/** @param milliseconds for a request's head */
export function answerRequests(milliseconds: number): Handler {
  return (socket, renewal) => {
    let request = ""
    let answered = false
    const answer = (status: string, body: string) => {
      if (answered) return
      answered = true
      clearTimeout(timer)
      socket.off("data", onData).resume()
      const head = [
        `HTTP/1.0 ${status}`,
        "Content-Type: text/plain; charset=utf-8",
        `Content-Length: ${Buffer.byteLength(body)}`,
        "Connection: close",
      ]
      renewal.write(Buffer.from(`${head.join("\r\n")}\r\n\r\n${/^HEAD /.test(request) ? "" : body}`))
      socket.end()
      // Whoever does not take it, or sends on, is not waited for.
      const end = setTimeout(() => socket.guard(() => void socket.destroy()), lingering).unref()
      socket.once("close", () => clearTimeout(end))
    }
    const take = (data: Buffer) => {
      // An empty line that has begun may end in this part.
      const from = Math.max(0, request.length - 3)
      request += data.toString("latin1", 0, longestHead + 1 - request.length)
      const end = /\r?\n\r?\n/.exec(request.slice(from))
      if (end !== null && from + end.index + end[0].length <= longestHead) answer("200 OK", found())
      else if (request.length > longestHead)
        answer("431 Request Header Fields Too Large", `A request's head may have ${longestHead} bytes here.\n`)
    }
    const found = () => {
      const early = socket.earlyData.length > 0 ? ["(the request came as early data, and may be a replay)"] : []
      return [`${request.split(/\r?\n/)[0]}`, "", ...summary(socket, "client"), ...early, ""].join("\n")
    }
    const late = () => answer("408 Request Timeout", `No whole request came within ${milliseconds / 1000} s.\n`)
    const timer = setTimeout(() => socket.guard(late), milliseconds).unref()
    const onData = (data: Buffer) => socket.guard(() => take(data))
    socket.on("data", onData)
    socket.on("end", () => socket.end())
    socket.once("close", () => clearTimeout(timer))
    for (const early of socket.earlyData) if (!answered) take(early)
  }
}
