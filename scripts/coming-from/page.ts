// docs/coming-from.md, made of what "puremq import" knows of others' options.

import { emqxListenerRows, emqxRows } from "../../packages/broker/src/config/import/emqx-rows.ts"
import { bridgeRows, generalRows, listenerRows } from "../../packages/broker/src/config/import/mosquitto-rows.ts"
import { nanomqBridgeRows } from "../../packages/broker/src/config/import/nanomq-bridge-rows.ts"
import { nanomqListenerRows, nanomqOldNames, nanomqRows } from "../../packages/broker/src/config/import/nanomq-rows.ts"
import { knownPath } from "../../packages/broker/src/config/import/our-options.ts"
import { type Row, type Rows, readingOf } from "../../packages/broker/src/config/import/values.ts"

export function comingFromPage(): string {
  return [
    intro,
    "## From Mosquitto",
    mosquitto,
    "### Listeners and TLS",
    tableOf(listenerRows),
    "### What is not of a listener",
    tableOf(generalRows),
    "### Bridges",
    tableOf(bridgeRows),
    "## From NanoMQ",
    nanomq,
    "### Listeners and TLS",
    "Below `listeners.tcp`, `.ssl`, `.ws` and `.wss`, and below a name in these. A listener `wss` without certificates has those of `ssl`.",
    tableOf(nanomqListenerRows),
    "### What is not of a listener",
    tableOf(nanomqRows),
    "### Bridges",
    "Below `bridges.mqtt.NAME`, and `bridge.mqtt.NAME` of the older form.",
    tableOf(nanomqBridgeRows),
    "### The older form",
    "Before 0.14 a line was `key=value`; such a file is known by that. Its names are these of now:",
    [
      "| older | now |",
      "|---|---|",
      ...Object.entries(nanomqOldNames).map(([old, now]) => `| \`${old}\` | \`${now}\` |`),
    ].join("\n"),
    "## From EMQX",
    emqx,
    "### Listeners and TLS",
    "Below `listeners.tcp.NAME`, `.ssl.NAME`, `.ws.NAME` and `.wss.NAME`.",
    tableOf(emqxListenerRows),
    "### What is not of a listener",
    tableOf(emqxRows),
  ].join("\n\n")
}

function tableOf(rows: Rows): string {
  const lines = Object.entries(rows).map(([key, row]) => `| \`${key}\` | ${oursOf(row)} | ${differenceOf(row)} |`)
  return ["| theirs | ours | what differs |", "|---|---|---|", ...lines].join("\n")
}

function oursOf({ to }: Row): string {
  if (to === undefined) return "none"
  if (to === "") return "as it says"
  if (knownPath(to)) return `\`${to}\``
  // Only where a listener may have its own.
  const ofAll = to.replace(/^listeners\.\*\./, "")
  return knownPath(ofAll) ? `\`${ofAll}\`` : "none"
}

/** Of options without a counterpart what their reading says of them; two values tell those that hold from those that do not. */
function differenceOf(row: Row): string {
  if (row.why !== undefined || row.to !== undefined) return sentence(row.why ?? "")
  const parts = ["true", "false"].flatMap((text) => {
    const reading = readingOf(row, text)
    return "holds" in reading
      ? `\`${text}\`: ${reading.holds}`
      : "left" in reading
        ? `\`${text}\`: ${reading.left}`
        : []
  })
  const [one = "", other = ""] = parts
  const plain = (part: string) => part.replace(/^`\w+`: /, "")
  return sentence(plain(one) === plain(other) ? plain(one) : parts.join("; "))
}

function sentence(text: string): string {
  if (text === "") return ""
  const first = /^`|^\S*[A-Z$_:\d]/.test(text) ? text.slice(0, 1) : text.slice(0, 1).toUpperCase()
  return `${first}${text.slice(1)}.`.replaceAll("|", "\\|")
}

const intro = `# Coming from Mosquitto, NanoMQ or EMQX

<!-- snippet: not run: there is no such file here -->
\`\`\`sh
puremq import mosquitto.conf --out puremq.toml
puremq check-config --config puremq.toml
puremq start --config puremq.toml
\`\`\`

\`puremq import\` makes [our configuration](configuration.md) of another broker's. Whose a file is, is told by its name or its options, and said; \`--from mosquitto\`, \`nanomq\` or \`emqx\` says it. Each value has the place it comes from beside it; what means something else here says so above it; what has no counterpart becomes a comment with its line and why. Secrets are not copied into comments: they say where the secret stands. Where it matters who gets in, what cannot be carried over leaves less open than it was, never more. Users and rules that have to be converted are written into files beside the new one (so that needs \`--out\`), with passwords hashed.

On standard error there is what somebody has to do, and a summary: how many settings were carried over, how many with another meaning, how many not. The exit status is 0 when the broker can be started with what was written. It is 1 when nothing was written, or when that names files that are missing here or cannot be used, each of which is named.

An option that their file does not have is what it is by default here ([configuration](configuration.md)), with these exceptions, which are written down as they were there: whether clients without login get in, whether sessions outlive the process, and which pages may use WebSocket. The most important difference that is left: a session ends when its client has been away for 7 days (\`limits.maximumSessionExpiryInterval\`).

The tables below are made of what the command knows. \`listeners.*\` is any listener.`

const mosquitto = `All options of mosquitto.conf(5) of 2.1 are known; \`include_dir\` is followed.

**Password files** are read as they are, by \`login.passwordFile\`; lines of \`puremq passwd\` may stand among those of \`mosquitto_passwd\`. \`$argon2id$\` (2.1) and \`$7$\` (PBKDF2 with SHA-512) are checked within the [limits](limits.md#the-broker) of password checks: at most 128 MiB and 2,000,000 iterations. \`$6$\` (SHA-512 once, of 1.x) is taken, too. It is weak, and so is PBKDF2 of few iterations, which is what \`mosquitto_passwd\` of 2.0 writes (101): a warning counts such users, and \`puremq passwd\` gives each a better line. Passwords that stand in a file as they are, are refused. Argon2id is computed beside the event loop by Node from 24.7 on; elsewhere in JavaScript, in slices between what clients send: with many logins a second \`puremq passwd\`, which writes scrypt, is the better choice there. More: [decision 0024](decisions/0024-what-others-have-written.md).

**Access control lists** are read as they are, by \`aclFile\`, which knows the form by its first rule; a file has one of both forms. They mean what they mean there: topics before the first \`user\` are of clients without login; the topics of a user decide before patterns do, and in each of both what denies before what allows; every subscription is granted, and each message is judged when it is about to be delivered. Where 2.0 and 2.1 differ, what one of them refuses is refused: a name with a \`/\` in it fills no pattern that allows. An empty list is refused, as a file that is not written yet: one that denies everything has a comment in it. A pattern with more than \`%u\` or \`%c\` in a level is refused when the file is read.

A client that says a user name where there is no password file is a client without login here; there it is that user, unasked.`

const nanomq = `HOCON is read with its includes and substitutions. Users of \`nanomq_pwd.conf\` go into a password file, with their passwords hashed; rules of \`nanomq_acl.conf\` into an access control list. There the first rule that fits decides, and here what denies wins wherever it stands: the command says at which rules that makes a difference. Both files can also be imported alone. Rules that go by an address, by several names at once or by a filter as it stands (\`@\`) cannot be carried over; one of them that denies denies everybody, or is named on standard error.`

const emqx = `The main options of emqx.conf of EMQX 5. Variables of the environment are filled in; \`EMQX_ETC_DIR\` is the folder of the file unless it is set. Users of EMQX are in its database: write them with \`puremq passwd\`; until then nobody gets in where there was \`authentication\`. An \`acl.conf\` is converted, by itself or through \`authorization.sources\`, as rules of NanoMQ are: terms with a user, a client identifier or \`all\`, an action and topics; \`\${clientid}\` and \`\${username}\` become \`%c\` and \`%u\`. Where rules come from elsewhere (\`http\`, a database), what no rule allows is refused until they are written.`
