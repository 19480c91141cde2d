// The end of a schedule: nothing fails any more, everybody comes, and what was promised has to be there. Then everybody goes.

import { type Client, forever } from "./client.ts"
import { mayFollow } from "./model.ts"
import { Broken } from "./promises.ts"
import type { World } from "./world.ts"

const everything = { noLocal: false, withoutRetained: false } as const

/** @param house whether promises of the house are judged, too */
export function end(world: World, house: boolean): void {
  calmDown(world)
  everybodyComes(world)
  retainedIsKept(world)
  everybodyGoes(world)
  if (house) nothingIsLeft(world)
}

function calmDown(world: World): void {
  const { store } = world
  world.tell("nothing fails any more")
  store.late = false
  store.failing = false
  store.answer()
  for (const ghost of world.ghosts) world.bury(ghost)
  world.settle()
  world.untilQuiet("somebody is not answered")
}

function everybodyComes(world: World): void {
  // Wills that are due come before their clients do.
  world.pass(12_000)
  for (const client of world.clients) if (client.link === undefined) client.connect(false, undefined)
  world.pass(2000)
  for (let times = 0; times < 3; times++) {
    world.untilQuiet("somebody is not answered")
    world.pass(1000)
  }
  for (const client of world.clients)
    if (!client.connected) throw new Broken("everybody is answered", `${client.id} cannot connect`)
  const { session } = world.watcher
  if (session === undefined) throw new Broken("a session goes on", "the watcher has no session")
  world.model.settled(world.sessions, session)
}

/** A new subscriber is sent what is retained; one whose session goes on also when its connection or the broker does not. */
function retainedIsKept(world: World): void {
  const must = new Map<string, number>()
  for (const [topic, writes] of world.model.writes) {
    const last = writes.findLastIndex((write) => write.acked)
    const after = writes.slice(Math.max(0, last))
    const before = writes.slice(0, Math.max(0, last))
    const sure =
      !before.some((write) => mayFollow(write, writes[last]!)) &&
      last >= 0 &&
      after.every((write, i) => write.msg !== undefined && (i === 0 || write.refused || write.qos > 0))
    if (sure) must.set(topic, Math.min(...after.map(({ qos }) => qos)))
  }
  const goesOn = ({ expiry, passing }: Client) => expiry === forever && !passing
  const client = world.clients.findLast(goesOn) ?? world.clients.at(-1)!
  client.retainedSeen.clear()
  client.subscribe("r/#", 1, everything)
  const interrupted = goesOn(client) && world.random.oneIn(2)
  if (interrupted) interrupt(world, client)
  world.untilQuiet("SUBSCRIBE is not answered")
  world.pass(1000)
  world.untilQuiet("retained messages do not come to an end")
  // At QoS 0 nothing is owed to who was away.
  for (const [topic, qos] of must)
    if (!client.retainedSeen.has(topic) && !(interrupted && qos === 0))
      throw new Broken("retained is kept", `what is retained on ${topic} is lost`)
}

/** SUBACK comes, and of what is retained as much as the client takes before it acknowledges; then its connection is gone. */
function interrupt(world: World, client: Client): void {
  const { store } = world
  for (let turns = 0; client.asks; turns++) {
    if (turns === 100) throw new Broken("everybody is answered", "SUBSCRIBE is not answered")
    client.link?.deliverUp(100_000, world.now)
    world.settle()
    store.answer()
    world.settle()
    world.down(client, 100_000)
  }
  if (world.random.oneIn(2)) world.crash()
  else world.drop(client)
  everybodyComes(world)
}

function everybodyGoes(world: World): void {
  const { clients } = world
  for (const client of clients) client.publish(`r/${client.id}`, 1, undefined, [], true)
  world.untilQuiet("nobody clears what is retained")
  for (const client of clients) {
    if (client.version === 5) client.disconnect(0, client.expiry === 0 ? undefined : 0)
    else client.connect(true, undefined)
  }
  world.untilQuiet("somebody cannot leave")
  for (const client of clients) if (client.version === 4) client.disconnect(0)
  world.untilQuiet("somebody cannot leave")
  world.pass(3000)
}

function nothingIsLeft(world: World): void {
  const { broker, store } = world
  const { memory, sessionCount: sessions, subscriptionCount: subscriptions } = broker
  const left = { ...memory, sessions, subscriptions, "retained messages": broker.retained.size }
  for (const [what, count] of [...Object.entries(left), ...Object.entries(store.kept.counts)])
    if (count !== 0) throw new Broken("nothing is left", `${count} of ${what} are left`)
  world.mind()
  const wrong = store.kept.wrong[0]
  if (wrong !== undefined) throw new Broken("Changes are true", wrong)
}
