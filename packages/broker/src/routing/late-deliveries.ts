// Copies of one message for sessions that are away, which are made in turns to come: so nobody waits for as long as all of them
// take. To each session it is as if it had got its copy at once: whatever else is for it comes after that (see Router).

import type { Message } from "../packet/message.ts"
import type { Subscriber } from "./subscription.ts"

interface Receiving {
  readonly subscriber: Subscriber
}

export class LateDeliveries<Route extends Receiving> {
  readonly message: Message
  /** When it was published, in milliseconds. */
  readonly now: number
  /** A session is in it once; undefined: it has its copy. */
  readonly #routes: (Route | undefined)[]
  #next = 0
  /** Where a session is; made when somebody asks. */
  #places: Map<Subscriber, number> | undefined

  constructor(message: Message, routes: Route[], now: number) {
    this.message = message
    this.now = now
    this.#routes = routes
  }

  /** The next one, which is then not due any more. */
  take(): Route | undefined {
    while (this.#next < this.#routes.length) {
      const route = this.#routes[this.#next++]
      if (route !== undefined) return route
    }
    return undefined
  }

  /** That of a session, likewise; undefined: nothing is due to it. */
  takeOf(subscriber: Subscriber): Route | undefined {
    const place = this.#placeOf(subscriber)
    if (place === undefined || place < this.#next) return undefined
    const route = this.#routes[place]
    this.#routes[place] = undefined
    return route
  }

  #placeOf(subscriber: Subscriber): number | undefined {
    if (this.#places === undefined) {
      this.#places = new Map()
      for (let i = this.#next; i < this.#routes.length; i++) {
        const route = this.#routes[i]
        if (route !== undefined) this.#places.set(route.subscriber, i)
      }
    }
    return this.#places.get(subscriber)
  }
}
