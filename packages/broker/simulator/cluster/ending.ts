// The end of a schedule in a cluster: everything is reached again, everybody comes, and what was promised has to be there. Then
// everybody goes.

import { mayFollow } from "../model.ts"
import { Broken } from "../promises.ts"
import type { ClusterWorld } from "./world.ts"

/** @param house whether promises of the house are judged, too */
export function end(world: ClusterWorld, house: boolean): void {
  world.tell("nothing fails any more")
  world.allBack()
  for (const member of world.members) world.heal(member)
  while (world.members.length < 2) world.start()
  for (const ghost of world.ghosts) world.bury(ghost)
  world.untilQuiet("somebody is not answered")
  everybodyComes(world)
  retainedIsKept(world)
  everybodyGoes(world)
  if (house) nothingIsLeft(world)
}

function everybodyComes(world: ClusterWorld): void {
  // Wills that are due come before their clients do, also those of nodes that have gone.
  const { watcher } = world
  for (let times = 0; times < 3; times++) {
    if (watcher.link === undefined) watcher.connect(false, undefined)
    world.untilQuiet("the watcher is not answered")
    world.pass(15_000)
  }
  world.untilQuiet("the watcher is not answered")
  world.forgiveUnanswered()
  if (watcher.session !== undefined) world.model.wills.due(watcher.session.got, world.now - 15_000)
  for (let times = 0; times < 3; times++) {
    for (const client of world.clients) if (client.link === undefined) client.connect(false, undefined)
    world.untilQuiet("somebody is not answered")
    world.pass(3000)
  }
  for (const client of world.clients)
    if (!client.connected) throw new Broken("everybody is answered", `${client.id} cannot connect`)
  const { session } = world.watcher
  if (session === undefined) throw new Broken("a session goes on", "the watcher has no session")
  world.model.settled(world.sessions, session)
}

/** On each node what is retained of a topic is the last write. */
function retainedIsKept(world: ClusterWorld): void {
  for (const [topic, writes] of world.model.writes) {
    const last = writes.findLastIndex((write) => write.acked)
    const after = writes.slice(Math.max(0, last))
    const before = writes.slice(0, Math.max(0, last))
    const doubtful = last < 0 || before.some((write) => mayFollow(write, writes[last]!)) || after.length > 1
    const values = world.members.map(({ broker }) => textOf(broker.retainedOn(topic)?.own().bytes))
    if (values.some((value) => value !== values[0]))
      throw new Broken("the last is retained", `on ${topic} each node has another message: ${values.join("; ")}`)
    if (doubtful) continue
    const want = writes[last]?.msg?.id
    for (const { broker, name } of world.members) {
      const message = broker.retainedOn(topic)
      const own = message?.own()
      const text = own === undefined ? undefined : textOf(own.bytes.subarray(own.payloadStart, own.payloadEnd))
      const has = text === undefined || text === "" ? undefined : Number.parseInt(text, 10)
      if (has !== want) throw new Broken("retained is kept", `on ${topic} ${name} has ${has}, the last is ${want}`)
    }
  }
}

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes && String.fromCharCode(...bytes)
}

function everybodyGoes(world: ClusterWorld): void {
  const { clients } = world
  for (const client of clients) client.publish(`r/${client.id}`, 1, undefined, [], true)
  // Whose session another node has is put out by that, and says it again.
  for (let times = 0; times < 3; times++) {
    world.untilQuiet("nobody clears what is retained")
    for (const client of clients) if (client.link === undefined) client.connect(false, undefined)
  }
  world.untilQuiet("nobody clears what is retained")
  // A node that was cut off finds out that a session is another's when something changes of it.
  for (let times = 0; times < 3; times++) {
    for (const client of clients) {
      if (client.link !== undefined) world.leaveBehind(client.link)
      client.connect(true, undefined)
    }
    world.untilQuiet("somebody cannot leave")
    for (const ghost of world.ghosts) world.bury(ghost)
  }
  for (const client of clients) client.disconnect(0, client.expiry === 0 ? undefined : 0)
  world.untilQuiet("somebody cannot leave")
  world.pass(70_000)
}

function nothingIsLeft(world: ClusterWorld): void {
  for (const { broker, name, node } of world.members) {
    const { memory, sessionCount: sessions, subscriptionCount: subscriptions } = broker
    const left = { ...memory, sessions, subscriptions, "retained messages": broker.retained.size, ...node.held }
    for (const [what, count] of Object.entries(left))
      if (count !== 0) throw new Broken("nothing is left", `${name} has ${count} of ${what} left`)
  }
  for (const { content } of world.servers.partitions) {
    const left = content.next(1, (subject) => subject.startsWith("s."))
    if (left !== undefined) throw new Broken("nothing is left", `the servers have ${left.subject} left`)
  }
  world.mind()
}
