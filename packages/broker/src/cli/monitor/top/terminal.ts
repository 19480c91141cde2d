// The terminal that the screen is drawn on: another page of it while this goes on, and as it was afterwards, however it ends.

import type { ReadStream, WriteStream } from "node:tty"

const enter = "\u001b[?1049h\u001b[?25l\u001b[?7l"
const leave = "\u001b[?7h\u001b[?25h\u001b[?1049l"
/** One frame is shown at once, where the terminal knows that (mode 2026); others pass it over. */
const begin = "\u001b[?2026h\u001b[H"
const end = "\u001b[J\u001b[?2026l"

export class Terminal {
  readonly #output: WriteStream
  readonly #input: ReadStream
  readonly #restore = () => this.leave()
  #inside = false

  constructor(output: WriteStream, input: ReadStream) {
    this.#output = output
    this.#input = input
  }

  get size(): { readonly columns: number; readonly rows: number } {
    // Of some it is not known: 0.
    return { columns: this.#output.columns || 80, rows: this.#output.rows || 24 }
  }

  enter(): void {
    if (this.#inside) return
    this.#inside = true
    process.on("exit", this.#restore)
    this.#output.write(enter)
    if (!this.#input.isTTY) return
    this.#input.setRawMode(true)
    this.#input.resume()
  }

  leave(): void {
    if (!this.#inside) return
    this.#inside = false
    process.off("exit", this.#restore)
    this.#output.write(leave)
    if (!this.#input.isTTY) return
    this.#input.setRawMode(false)
    this.#input.pause()
  }

  draw(lines: readonly string[]): void {
    // A slow connection gets the frame that is of use when it is ready, and none of those before.
    if (!this.#inside || this.#output.writableLength > 65_536) return
    this.#output.write(`${begin}${lines.map((line) => `${line}\u001b[K`).join("\r\n")}${end}`)
  }
}
