// What happens when in a cluster: each step follows from the seed.

import type { Random } from "../../../tls13/fuzz/random.ts"
import type { Client } from "../client.ts"
import type { Qos } from "../wire.ts"
import type { ClusterWorld } from "./world.ts"

const live = ["t/a", "t/b"] as const
const filters = ["t/a", "t/+", "t/#", "t/b", "r/+", "r/#"] as const

export class ClusterSchedule {
  readonly #world: ClusterWorld
  readonly #random: Random
  /** How often something fails in this one. */
  readonly #trouble: number

  constructor(world: ClusterWorld) {
    this.#world = world
    this.#random = world.random
    this.#trouble = world.random.pick([0, 10, 30])
  }

  /** The one who watches is there first. */
  begin(): void {
    const world = this.#world
    world.untilQuiet("a node does not begin")
    world.watcher.connect(false, undefined)
    world.untilQuiet("the first client is not answered")
    world.watcher.subscribe("w/#", 2, { noLocal: false, withoutRetained: false })
    world.untilQuiet("the first SUBSCRIBE is not answered")
  }

  steps(): void {
    for (let steps = 150 + this.#random.integer(250); steps > 0; steps--) {
      this.#step()
      this.#world.mind()
    }
  }

  #step(): void {
    const [world, random] = [this.#world, this.#random]
    const choice = random.integer(100)
    if (choice < 60) this.#move()
    else if (choice < 85) this.#act(random.pick(world.clients))
    else if (choice < 97) world.pass(random.pick([1, 5, 20, 100, 500]))
    else if (choice < 98) world.pass(1000 * (1 + random.integer(25)))
    else {
      const ghost = world.ghosts[0]
      if (ghost !== undefined) world.bury(ghost)
    }
    if (random.integer(1000) < this.#trouble) this.#fail()
    if (random.oneIn(20)) this.#mend()
    world.pass(random.integer(4))
  }

  #fail(): void {
    const [world, random] = [this.#world, this.#random]
    const choice = random.integer(10)
    if (choice < 4) {
      const member = random.pick(world.members)
      if (member !== undefined) world.cut(member, random.pick(["at once", "silently", "still"] as const))
    } else if (choice < 7) {
      // Somebody goes just before: what that means is kept in several turns.
      const client = random.pick(world.clients)
      if (random.oneIn(2) && client.link !== undefined) {
        world.drop(client)
        world.pass(random.integer(15))
      }
      const member = random.pick(world.members)
      if (member === undefined) return
      world.crash(member)
      if (random.oneIn(2)) world.start()
    } else if (choice < 9) {
      const partition = random.integer(world.servers.partitions.length)
      if (!world.leaderless.has(partition)) world.leaderAway(partition)
    } else if (!world.serversAway) world.allAway()
  }

  #mend(): void {
    const [world, random] = [this.#world, this.#random]
    if (world.serversAway) {
      if (random.oneIn(2)) world.allBack()
      return
    }
    for (const member of world.members) if (random.oneIn(2)) world.heal(member)
    for (const partition of [...world.leaderless]) if (random.oneIn(2)) world.leaderBack(partition)
    if (world.members.length < 2 && random.oneIn(2)) world.start()
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
      if (client.owes && random.integer(3) > 0) client.acknowledge(random)
    }
    const ghost = random.pick(world.ghosts)
    if (ghost !== undefined && random.oneIn(3)) ghost.deliverUp(most, world.now)
  }

  /** A client does something. */
  #act(client: Client): void {
    const [world, random] = [this.#world, this.#random]
    if (client.link === undefined) {
      if (random.integer(3) > 0) this.#connect(client)
      return
    }
    const choice = random.integer(40)
    if (choice === 0) world.drop(client)
    else if (choice === 1) this.#takeOver(client)
    else if (choice === 2) {
      client.link.stalled = true
      world.count("links that stall")
    } else if (choice < 5) client.link.stalled = false
    else if (!client.connected) {
      // It does not wait for ever, and goes to another.
      if (choice < 8) world.drop(client)
    } else if (client === world.watcher) return
    else if (choice === 5) {
      world.count("good-byes")
      client.disconnect(random.oneIn(3) ? 4 : 0)
    } else if (choice < 12) {
      const wishes = { noLocal: random.oneIn(4), withoutRetained: random.oneIn(4) }
      client.subscribe(random.pick(filters), random.pick([0, 1, 1, 2, 2]), wishes)
    } else if (choice < 14) {
      const filter = random.pick((client.session?.subs ?? []).map((sub) => sub.filter))
      if (filter !== undefined) client.unsubscribe(filter)
    } else for (let i = random.integer(4); i >= 0 && client.mayPublish; i--) this.#publish(client)
  }

  #connect(client: Client): void {
    const [world, random] = [this.#world, this.#random]
    if (world.open.length === 0) return
    const will =
      client === world.watcher || random.oneIn(2)
        ? undefined
        : { qos: random.pick([1, 2] as const), delay: random.pick([0, 2, 10]) }
    if (will !== undefined) world.count("wills")
    const clean = client !== world.watcher && random.oneIn(8)
    if (clean) world.count("clean starts")
    client.connect(clean, will)
  }

  /** A new connection while a node has the old one. */
  #takeOver(client: Client): void {
    if (this.#world.open.length === 0) return
    this.#world.count("take-overs")
    if (client.link !== undefined) this.#world.leaveBehind(client.link)
    this.#connect(client)
  }

  #publish(client: Client): void {
    const random = this.#random
    const { model } = this.#world
    const qos = random.pick<Qos>([0, 1, 1, 2, 2])
    if (random.oneIn(5)) {
      const topic = `r/${client.id}`
      const writes = model.writes.get(topic) ?? []
      model.writes.set(topic, writes)
      // What is sent again at QoS 1 may come after what was taken once at QoS 2: each topic has one of them.
      const always = client.receiveMaximum % 2 === 0 ? 1 : 2
      client.publish(topic, qos === 0 ? 0 : always, undefined, writes, random.oneIn(6))
      return
    }
    client.publish(random.pick(live), qos, random.oneIn(6) ? 1 + random.integer(20) : undefined, undefined, false)
  }
}
