// The way from a node to a server that `npm run cluster` cuts.

import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"
import { afterEach, expect, it } from "vitest"
import { Link } from "../cluster/servers/link.ts"
import { portOf } from "../cluster/servers/ports.ts"

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A server that answers each byte with the next one, behind a link; and what came back. */
async function linked(): Promise<{ link: Link; client: Socket; came: number[] }> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined)
    socket.on("data", (data: Buffer) => socket.write(data.map((byte) => byte + 1)))
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const link = await Link.open(portOf(server))
  const { client, came } = await through(link)
  closing.push(
    () => server.close(),
    () => link.close(),
  )
  return { link, client, came }
}

async function through(link: Link): Promise<{ client: Socket; came: number[] }> {
  const client = connect({ host: "127.0.0.1", port: link.port, noDelay: true })
  const came: number[] = []
  client.on("error", () => undefined)
  client.on("data", (data: Buffer) => came.push(...data))
  closing.push(() => client.destroy())
  await once(client, "connect")
  return { client, came }
}

it("held: nothing goes through, connections stay, and all of it arrives late", async () => {
  const { link, client, came } = await linked()
  client.write(Uint8Array.of(1))
  await expect.poll(() => came).toEqual([2])
  link.cut("held")
  client.write(Uint8Array.of(3))
  const second = await through(link)
  second.client.write(Uint8Array.of(5))
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect([came, second.came, client.destroyed]).toEqual([[2], [], false])
  link.heal()
  await expect.poll(() => [came, second.came]).toEqual([[2, 4], [6]])
})

it("closed: connections end, none is made, and when it is whole again one is", async () => {
  const { link, client } = await linked()
  link.cut("closed")
  await once(client, "close")
  const second = await through(link)
  await once(second.client, "close")
  link.heal()
  const third = await through(link)
  third.client.write(Uint8Array.of(7))
  await expect.poll(() => third.came).toEqual([8])
})
