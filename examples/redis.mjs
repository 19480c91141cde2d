// Redis's client `ioredis` over this TLS.
// PORT=6380 CA=ca.pem node examples/redis.mjs
import { readFileSync } from "node:fs"
import { connect } from "@puremq/tls13/node"
import { AbstractConnector, Redis } from "ioredis"

const { HOST: host = "localhost", PORT: port = "6380", CA } = process.env
const ca = readFileSync(CA)

class TlsConnector extends AbstractConnector {
  async connect() {
    this.stream = connect({ host, port: Number(port), ca })
    return this.stream
  }
}

const redis = new Redis({ Connector: TlsConnector })
await redis.set("demo", "hello")
console.log(await redis.get("demo"))
await redis.quit()
