// Whether connections can be taken. When a process has no descriptor left, Node closes those that come, by one that it holds in
// reserve, and tells nobody: no server has an event for it. So somebody has to look.

import { closeSync, openSync } from "node:fs"
import { devNull } from "node:os"

/** Milliseconds from one line to the next while it lasts. */
const again = 60_000

const reasons: Readonly<Record<string, string>> = {
  EMFILE:
    "the process has too many open files; raise its limit (ulimit -n, LimitNOFILE of systemd) or lower maximumConnections",
  ENFILE: "this machine has too many open files; raise its limit (fs.file-max) or close some",
}

export class DescriptorWatch {
  readonly #tell: (text: string) => void
  readonly #lack: () => string | undefined
  #lastTold: number | undefined

  /** @param lack for a test: why there is no descriptor */
  constructor(tell: (text: string) => void, lack: () => string | undefined = lackOfDescriptors) {
    this.#tell = tell
    this.#lack = lack
  }

  /** Called about once a second. @param now milliseconds */
  look(now: number): void {
    const code = this.#lack()
    if (code === undefined) {
      if (this.#lastTold !== undefined) this.#tell("connections can be taken again: there are descriptors")
      this.#lastTold = undefined
    } else if (this.#lastTold === undefined || now - this.#lastTold >= again) {
      this.#lastTold = now
      this.#tell(`no listener can take a connection, and those that come are closed: ${reasons[code] ?? code}`)
    }
  }
}

/** The system's code when the process can open nothing. */
function lackOfDescriptors(): string | undefined {
  try {
    closeSync(openSync(devNull, "r"))
    return undefined
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : ""
    return code in reasons ? code : undefined
  }
}
