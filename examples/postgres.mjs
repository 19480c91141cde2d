// PostgreSQL's client `pg` over this TLS, which begins when the server has agreed to its SSLRequest.
// PORT=5432 CA=ca.pem USER=postgres node examples/postgres.mjs
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { connect as connectTcp } from "node:net"
import { connect } from "@puremq/tls13/node"
import pg from "pg"

const { HOST: host = "localhost", PORT: port = "5432", CA, USER: user } = process.env
const ca = readFileSync(CA)

const tcp = connectTcp(Number(port), host)
tcp.write(Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])) // SSLRequest: its length, and the code 80877103
const [answer] = await once(tcp, "data")
// More than its one byte would be what somebody put there before TLS (CVE-2021-23222).
if (answer.toString("latin1") !== "S") throw new Error("the server has no TLS, or somebody is in between")
const tls = connect({ socket: tcp, servername: host, ca })
await once(tls, "secureConnect")
const stream = Object.assign(tls, { connect: () => setImmediate(() => tls.emit("connect")) })
const client = new pg.Client({ stream: () => stream, ssl: false, user, database: "postgres" })
await client.connect()
const { rows } = await client.query("SELECT version, cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
console.log(`${rows[0].version} ${rows[0].cipher}`)
await client.end()
