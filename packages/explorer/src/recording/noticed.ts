// Which line of the stack refused: the build writes `seen(SITE, Class)` where the stack makes an error.

import type { Site } from "./spans.ts"

export interface Noticed extends Site {
  /** What the source cites nearest above the line, such as `RFC 9846 section 4.3.11`; "" when it cites nothing. */
  readonly section: string
}

type ErrorClass = abstract new (...args: never[]) => object

interface Made {
  readonly error: object
  readonly site: string
  readonly message: string
}

/** Errors remembered: one is made of another within a call. */
const remembered = 16

class Notices {
  readonly #made: Made[] = []

  /** A class that makes the same errors and notes where. */
  seen<Class extends ErrorClass>(site: string, made: Class): Class {
    return new Proxy(made, {
      construct: (target, args, newTarget) => {
        const error = Reflect.construct(target, args, newTarget) as object
        this.#made.push({ error, site, message: error instanceof Error ? error.message : "" })
        if (this.#made.length > remembered) this.#made.shift()
        return error
      },
    })
  }

  /**
   * Where an error was made, or the one whose words it passes on: that a certificate has expired is noticed in another place than
   * that the peer is therefore refused. undefined when no line of the stack made it, or made it long ago.
   */
  of(error: Error): Noticed | undefined {
    const last = this.#made.findLast((made) => made.error === error)
    if (last === undefined) return undefined
    const first = this.#made.find(({ message }) => message !== "" && error.message.includes(message)) ?? last
    const [file = "", line = "0", section = ""] = first.site.split(":")
    return { file, line: Number(line), name: "", section }
  }

  forget(): void {
    this.#made.length = 0
  }
}

const notices: Notices = new Notices()

/** The build puts it around the class of every error that the stack makes. */
export function seen<Class extends ErrorClass>(site: string, made: Class): Class {
  return notices.seen(site, made)
}

export function noticedAt(error: Error): Noticed | undefined {
  return notices.of(error)
}

/** Lets go of the errors that are remembered: those of one call have nothing to do with those of the next. */
export function forgetNotices(): void {
  notices.forget()
}
