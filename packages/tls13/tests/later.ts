// Decisions that are answered later, by hand.

import { Pause } from "../src/bytes/pause.ts"
import type {
  CryptoProvider,
  ImmediateCryptoProvider,
  ImmediateKeyExchange,
  ImmediateKeyExchangeStarted,
  KeyExchange,
  KeyExchangeStarted,
  RandomSource,
} from "../src/crypto/provider.ts"

type Step = "start" | "respond" | "complete"

/** The answers that are to come later, by the pause that stands for each. */
export class Later {
  readonly #answers = new Map<Pause<unknown>, unknown>()

  /** Makes a function answer with a pause. */
  pausing<Arguments extends unknown[], Answer>(
    decide: (...args: Arguments) => Answer | Pause<Answer>,
  ): (...args: Arguments) => Pause<Answer> {
    return (...args) => {
      const pause = new Pause<Answer>()
      this.#answers.set(pause, decide(...args))
      return pause
    }
  }

  /** The same key exchanges, which pause for these steps. */
  keyExchanges(
    from: ImmediateCryptoProvider,
    steps: readonly Step[] = ["start", "respond", "complete"],
  ): CryptoProvider {
    const pausing = <Arguments extends unknown[], Answer>(step: Step, decide: (...args: Arguments) => Answer) =>
      steps.includes(step) ? this.pausing(decide) : decide
    const completesLater = (started: ImmediateKeyExchangeStarted): KeyExchangeStarted => ({
      ...started,
      complete: pausing("complete", (share: Uint8Array) => started.complete(share)),
    })
    const later = (group: ImmediateKeyExchange): KeyExchange => ({
      ...group,
      start: pausing("start", (random: RandomSource) => completesLater(group.start(random))),
      respond: pausing("respond", (share: Uint8Array, random: RandomSource) => group.respond(share, random)),
    })
    return { ...from, keyExchanges: from.keyExchanges.map(later) }
  }

  answerTo(pause: Pause<unknown>): unknown {
    if (!this.#answers.has(pause)) throw new Error("nobody asked")
    return this.#answers.get(pause)
  }
}
