// Two brokers on the host as nodes of one cluster: sockets to NATS, and TLS on one that has begun in plain text, are the host's here.

import type { Program } from "../hostile/programs.ts"
import { Client } from "../hostile/wire/client.ts"
import { packetType, property, publish, type Received, readPublish, uint32 } from "../hostile/wire/mqtt.ts"
import { NatsServers, natsServer, withoutNats } from "../tests/cluster/nats-server.ts"
import { check, type Row, soon, until } from "./row.ts"
import type { World } from "./world.ts"

interface Node {
  readonly program: Program
  readonly port: number
}

async function startNode(world: World, name: string, nats: readonly string[], tls: object): Promise<Node> {
  return world.another(name, {
    listeners: [{ type: "tcp", port: 0 }],
    login: { anonymous: true },
    cluster: { nats, node: name, ...tls },
  })
}

interface Came {
  readonly topic: string
  readonly qos: number
  readonly retain: boolean
}

/** A client, and what has come to it. */
async function reader(port: number, options: Parameters<typeof Client.connect>[2]): Promise<[Client, Came[]]> {
  const came: Came[] = []
  const client = await Client.connect("tcp", port, options)
  client.onPacket = (packet: Received) => {
    if (packet.type !== packetType.publish) return
    const { topic, qos } = readPublish(packet)
    came.push({ topic, qos, retain: packet.flags % 2 === 1 })
  }
  return [client, came]
}

/** @returns whether it was acknowledged in time: at QoS 2 by PUBCOMP */
async function published(client: Client, topic: string, qos: 0 | 1 | 2, retain = false): Promise<boolean> {
  const packetId = client.packetId()
  const last = qos === 1 ? packetType.puback : packetType.pubcomp
  const done = client.next(({ type, body }) => type === last && body[0]! * 256 + body[1]! === packetId, 2 * soon)
  client.wire.send(publish(5, topic, "m", { qos, retain, packetId }))
  return qos === 0 || (await done) !== undefined
}

const absent = { clientId: "moves", properties: [Uint8Array.of(property.sessionExpiry, ...uint32(3600))] }

async function exchange(a: Node, b: Node, nats: NatsServers): Promise<void> {
  const [subscriber, came] = await reader(b.port, { clientId: "subscriber" })
  const publisher = await Client.connect("tcp", a.port, { clientId: "publisher" })
  await subscriber.subscribe(["between/#"], 2)
  const has = (topic: string, at: { readonly qos: number; readonly retain?: boolean }, of = came) =>
    of.some((one) => one.topic === topic && one.qos === at.qos && one.retain === (at.retain ?? false))

  for (const qos of [0, 1, 2] as const) {
    const topic = `between/${qos}`
    check(await published(publisher, topic, qos), `QoS ${qos}: it is not acknowledged`)
    await until(
      () => has(topic, { qos }),
      () => `QoS ${qos}: it does not come to the other node`,
    )
  }

  check(await published(publisher, "kept/1", 1, true), "retained: it is not acknowledged")
  const [late, kept] = await reader(b.port, { clientId: "late" })
  await until(
    async () => {
      await late.subscribe(["kept/#"], 1)
      return has("kept/1", { qos: 1, retain: true }, kept)
    },
    () => "retained: it is not on the other node",
  )

  const [before] = await reader(a.port, absent)
  await before.subscribe(["moves/#"], 1)
  before.wire.destroy()
  for (let at = 0; at < 5; at++) check(await published(publisher, `moves/${at}`, 1), "a session away: no PUBACK")
  const [after, moved] = await reader(b.port, { ...absent, cleanStart: false })
  await until(
    () => moved.length === 5,
    () => `a session that has moved gets ${moved.length} of 5 messages`,
  )

  await nats.kill(0)
  for (const { program } of [a, b])
    check(
      (await program.prints(/cluster unreachable/, 2 * soon)) !== undefined,
      "the log does not say that NATS is away",
    )
  const waits = published(publisher, "between/away", 1)
  await nats.restart(0)
  check(await waits, "NATS was away, and is back: what waited is not acknowledged")
  await until(
    () => has("between/away", { qos: 1 }),
    () => "NATS was away, and is back: what waited does not come to the other node",
    2 * soon,
  )
  for (const { wire } of [subscriber, publisher, late, after]) wire.destroy()
}

export const joinsCluster: Row = {
  name: "two nodes of a cluster: QoS 0, 1 and 2, retained, a session that moves, NATS away and back; over TLS, too",
  lacks: () => (natsServer === undefined ? withoutNats : undefined),
  async run(world) {
    const began = performance.now()
    const at = (name: string) => world.at(`.puremq/${name}.pem`)
    const ca = at("ca")
    const server = { ca, cert: at("server"), key: at("server-key") }
    const client = { ca, cert: at("client"), key: at("client-key") }
    for (const secured of [false, true]) {
      const nats = await NatsServers.start(1, secured ? server : undefined)
      const tls = secured ? client : {}
      const nodes: Node[] = []
      try {
        for (const name of ["a", "b"]) nodes.push(await startNode(world, name, nats.addresses, tls))
        await exchange(nodes[0]!, nodes[1]!, nats)
        for (const { program } of nodes) {
          program.child.kill("SIGTERM")
          check(await program.endsWithin(soon), "a node does not end")
          check(program.status === 0, program.end ?? "")
          check(!/ fault /.test(program.log), `its log has a fault: ${/.* fault .*/.exec(program.log)?.[0]}`)
        }
      } finally {
        for (const { program } of nodes) program.child.kill("SIGKILL")
        await nats.stop()
      }
    }
    return `${((performance.now() - began) / 1000).toFixed(1)} s`
  },
}
