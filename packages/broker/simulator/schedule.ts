// What happens when: each step follows from the seed.

import type { Random } from "../../tls13/fuzz/random.ts"
import { type Client, forever } from "./client.ts"
import type { Qos } from "./wire.ts"
import type { Theme, World } from "./world.ts"

const live = ["t/a", "t/b"] as const
const shared = ["s/a", "s/b"] as const
const filters = ["t/a", "t/+", "t/#", "t/b", "r/+", "r/#"] as const

export class Schedule {
  readonly #world: World
  readonly #random: Random
  readonly #theme: Theme

  constructor(world: World) {
    this.#world = world
    this.#random = world.random
    this.#theme = world.theme
  }

  /** The one who watches is there first. */
  begin(): void {
    const { watcher } = this.#world
    watcher.connect(false, undefined)
    this.#world.untilQuiet("the first client is not answered")
    watcher.subscribe("w/#", 2, { noLocal: false, withoutRetained: false })
    this.#world.untilQuiet("the first SUBSCRIBE is not answered")
  }

  steps(): void {
    for (let steps = 150 + this.#random.integer(250); steps > 0; steps--) {
      this.#step()
      this.#world.mind()
    }
  }

  #step(): void {
    const [world, random] = [this.#world, this.#random]
    const { store } = world
    const choice = random.integer(100)
    if (choice < 62) this.#move()
    else if (choice < 84) this.#act(random.pick(world.clients))
    else if (choice < 93) world.pass(random.pick([1, 10, 100, 500, 1500]))
    else if (choice < 94) world.pass(1000 * (1 + random.integer(25)))
    else if (choice < 96) store.late = random.oneIn(2)
    else if (choice < 97) store.failing = random.oneIn(3)
    else if (choice < 99) {
      const ghost = world.ghosts[0]
      if (ghost !== undefined) world.bury(ghost)
    } else if (random.oneIn(3)) world.crash()
    if (random.oneIn(4)) world.logIn()
    const turns = random.integer(3)
    if (turns === 1) world.turn()
    else if (turns === 2) world.settle()
    if (!store.waits || !random.oneIn(4)) return
    store.answer()
    // What has waited leaves, and others come before the turn has ended.
    if (random.oneIn(2)) this.#move()
  }

  /** Bytes move, in any pieces. */
  #move(): void {
    const [world, random] = [this.#world, this.#random]
    const most = random.oneIn(3) ? 1 + random.integer(30) : 5000
    for (let i = 1 + random.integer(6); i > 0; i--) {
      const client = random.pick(world.clients)
      const { link } = client
      if (link === undefined || link.stalled) continue
      if (random.integer(3) > 0) link.deliverUp(most, world.now)
      if (random.integer(3) > 0) world.down(client, most)
      // With much unacknowledged there is much to send again.
      const soon = this.#theme === "one line" ? random.oneIn(6) : random.integer(3) > 0
      if (client.owes && soon) client.acknowledge(random)
    }
    const ghost = world.ghosts[0]
    if (ghost !== undefined && random.oneIn(3)) ghost.deliverUp(most, world.now)
  }

  /** A client does something. */
  #act(client: Client): void {
    const [world, random] = [this.#world, this.#random]
    if (client.link === undefined) {
      if (random.integer(3) > 0) this.#connect(client)
      else if (random.oneIn(4)) this.#stranger(client)
      return
    }
    const choice = random.integer(41)
    if (choice === 0 || (choice > 37 && choice < 40 && this.#theme === "one line")) world.drop(client)
    else if (choice === 1) this.#takeOver(client)
    else if (choice === 2) {
      client.link.stalled = true
      world.count("links that stall")
    } else if (choice < 5) client.link.stalled = false
    else if (!client.connected) return
    else if (choice === 40) this.#stranger(client)
    else if (client === world.watcher) return
    else if (choice === 5) {
      world.count("good-byes")
      client.disconnect(random.oneIn(3) ? 4 : 0)
    } else if (choice < 12) this.#subscribe(client)
    else if (choice < 14) {
      const filter = random.pick((client.session?.subs ?? []).map((sub) => sub.filter))
      if (filter !== undefined) client.unsubscribe(filter)
    } else for (let i = random.integer(4); i >= 0 && client.mayPublish; i--) this.#publish(client)
  }

  #connect(client: Client): void {
    const [world, random] = [this.#world, this.#random]
    const will =
      client === world.watcher || random.oneIn(2)
        ? undefined
        : { qos: random.pick([1, 2] as const), delay: random.pick([0, 2, 10]) }
    if (will !== undefined) world.count("wills")
    const clean = client !== world.watcher && random.oneIn(this.#theme === "jobs" ? 4 : 8)
    if (clean) world.count("clean starts")
    client.connect(clean, will)
  }

  /** A new connection while the broker has the old one. */
  #takeOver(client: Client): void {
    this.#world.count("take-overs")
    if (client.link !== undefined) this.#world.leaveBehind(client.link)
    this.#connect(client)
  }

  /** Where it is sure that the client has a session. */
  #stranger(client: Client): void {
    const { cleans, expiry, passing, session } = client
    if (session !== undefined && expiry === forever && !passing && !cleans) this.#world.stranger(client)
  }

  #subscribe(client: Client): void {
    const random = this.#random
    const wishes = { noLocal: random.oneIn(4), withoutRetained: random.oneIn(4) }
    if (random.oneIn(3) || (this.#theme === "jobs" && random.oneIn(2))) {
      client.subscribe("$share/g/s/+", random.pick([1, 1, 2]), { noLocal: false, withoutRetained: false })
    } else if (this.#theme === "one line") client.subscribe(random.pick(["t/a", "t/#"]), random.pick([1, 2]), wishes)
    else client.subscribe(random.pick(filters), random.pick([0, 1, 1, 2, 2]), wishes)
  }

  #publish(client: Client): void {
    const random = this.#random
    const { model } = this.#world
    const line = this.#theme === "one line"
    const qos = random.pick<Qos>(line ? [1, 1, 2] : [0, 1, 1, 2, 2])
    if (random.oneIn(line ? 20 : 5)) {
      const topic = `r/${client.id}`
      const writes = model.writes.get(topic) ?? []
      model.writes.set(topic, writes)
      // What is sent again at QoS 1 may come after what was taken once at QoS 2: each topic has one of them.
      const always = client.receiveMaximum % 2 === 0 ? 1 : 2
      client.publish(topic, qos === 0 ? 0 : always, undefined, writes, random.oneIn(6))
      return
    }
    const toGroup = this.#theme === "jobs" ? random.integer(4) > 0 : random.oneIn(4)
    const topic = line ? live[0] : toGroup ? random.pick(shared) : random.pick(live)
    client.publish(topic, qos, random.oneIn(6) ? 1 + random.integer(20) : undefined, undefined, false)
  }
}
