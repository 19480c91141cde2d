// Mail by `nodemailer` over this TLS, which begins when the server has agreed to STARTTLS (RFC 3207).
// PORT=25 CA=ca.pem node examples/smtp.mjs
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { connect as connectTcp } from "node:net"
import { connect } from "@puremq/tls13/node"
import nodemailer from "nodemailer"

const { HOST: host = "localhost", PORT: port = "25", CA } = process.env
const ca = readFileSync(CA)

const tcp = connectTcp(Number(port), host)
const [greeting] = await once(tcp, "data")
tcp.write("EHLO example.com\r\n")
await once(tcp, "data")
tcp.write("STARTTLS\r\n")
const [answer] = await once(tcp, "data")
// A second line would be what somebody put there before TLS (CVE-2011-0411).
if (!/^220 [^\n]*\n$/.test(answer)) throw new Error(`the server has no TLS, or somebody is in between: ${answer}`)
const connection = connect({ socket: tcp, servername: host, ca })
await once(connection, "secureConnect")
connection.unshift(greeting) // a server greets once, and nodemailer waits for it
const mail = nodemailer.createTransport({ connection, secured: true })
const { response } = await mail.sendMail({ from: "a@example.com", to: "b@example.com", text: "over TLS 1.3" })
console.log(response)
