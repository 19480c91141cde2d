// The same Client Identifier comes to two nodes at once: afterwards one connection is alive, and it has the session.

import { expiresIn } from "../../crash/clients.ts"
import { pause } from "../../crash/world.ts"
import { Client } from "../../hostile/wire/client.ts"
import { packetType, publish, readPublish } from "../../hostile/wire/mqtt.ts"
import type { Node } from "../servers/node.ts"
import type { Row } from "./rows.ts"

const times = 200
/** Milliseconds in which CONNACK must come, and in which one of two must be ended. */
const patience = 5000

export const together: Row = {
  title: "both nodes asked at once: one wins",

  async run({ nodes }) {
    const wrong: string[] = []
    const won = new Map<string, number>()
    for (let i = 0; i < times && wrong.length < 5; i++) {
      const two = [nodes[i % nodes.length]!, nodes[(i + 1) % nodes.length]!]
      const winner = await once(`both-${i % 20}`, i, two, wrong)
      if (winner !== undefined) won.set(winner, (won.get(winner) ?? 0) + 1)
    }
    const seen = [...won].map(([name, count]) => `${name} ${count}`).join(", ")
    return { wrong, seen: `won: ${seen}` }
  },
}

/** @returns who won */
async function once(clientId: string, i: number, nodes: readonly Node[], wrong: string[]): Promise<string | undefined> {
  const options = { clientId, cleanStart: false, properties: [expiresIn(600)], patience }
  const where = `time ${i + 1}, ${clientId} on ${nodes.map(({ name }) => name).join(" and ")}`
  const coming = nodes.map(async ({ port, name }) => {
    const client = port === undefined ? undefined : await Client.connect("tcp", port, options).catch(() => undefined)
    return client && { client, name }
  })
  const came = (await Promise.all(coming)).filter((one) => one !== undefined)
  const alive = () => came.filter(({ client }) => !client.wire.isClosed)
  const end = performance.now() + patience
  while (alive().length > 1 && performance.now() < end) await pause(2)
  // One that is about to be ended does not answer.
  const answers = await Promise.all(alive().map(({ client }) => client.ping(patience)))
  const left = alive()
  if (left.length !== 1 || answers.includes(false))
    wrong.push(
      `${where}: ${came.length} had CONNACK, ${left.length} are alive, ${answers.filter(Boolean).length} answer`,
    )
  const [winner] = left
  if (winner !== undefined && left.length === 1 && !(await serves(winner.client, clientId)))
    wrong.push(`${where}: the one on ${winner.name} gets no message of QoS 1`)
  for (const { client } of came) client.wire.destroy()
  await Promise.all(came.map(({ client }) => client.wire.closed))
  return left.length === 1 ? winner?.name : undefined
}

/** It subscribes, publishes, and gets it. */
async function serves(client: Client, topic: string): Promise<boolean> {
  if ((await client.subscribe([topic], 1, patience))?.[0] !== 1) return false
  const coming = client.next((one) => one.type === packetType.publish && readPublish(one).topic === topic, patience)
  client.wire.send(publish(5, topic, "still here", { qos: 1, packetId: client.packetId() }))
  return (await coming) !== undefined
}
