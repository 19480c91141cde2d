// What `--help` and `--list` say.

import { checkGroups } from "./check/check.ts"
import { otherClients } from "./engine/client-handshakes.ts"
import { handshakeScenarios, hashScenarios, matrixScenarios, recordScenarios } from "./engine/scenarios.ts"
import { subjectNames } from "./engine/subjects.ts"
import { foreignServers } from "./openssl-servers.ts"
import { partNames, parts } from "./parts.ts"
import { performanceRuns } from "./performance/runs.ts"
import { durationText } from "./progress.ts"
import { runtimeNames } from "./runtimes.ts"

export const helpText: string = `PureMQ and its peers side by side, in one run; the report goes to bench-results/report.md, progress to stderr.

  npm run bench [-- PART...]
  npm run bench -- --check [--quick] [GROUP...]
  npm run bench -- --scenario SCENARIO [--subjects A,B,...]
  npm run bench -- --report [FILE.html] [PART... | --check ... | --scenario ... | --from RESULTS.json,...]
  npm run bench -- --performance [RUN...]

  PART (default: all of them)
${partNames.map((name) => `    ${name.padEnd(12)}${parts[name]!.help}`).join("\n")}

  --check       what is wanted of this version: a row each, with its target; GROUP: of these alone
${checkGroups.map(({ name, help }) => `    ${name.padEnd(12)}${help}`).join("\n")}
    --quick     a subset with fewer rounds, 5 minutes; a target that is missed is told and fails nothing (as without it)

  --scenario S  one scenario in memory: full,group=secp256r1,chain=2 or "seal 64 TLS_AES_128_GCM_SHA256", say; may be repeated
  --subjects L  of these: ${subjectNames.join(", ")}; the first is what the others are compared to
  --on R        on other runtimes, which are installed under .peers/: ${runtimeNames.join(", ")}; several with commas
  --json FILE   the results: machine, versions, load, and the figures of each round
  --report F    a page with plots, one HTML file that needs no other (default: bench-results/report.html); with --on all
                runtimes are on it
  --from FILES  the page is made of results that --json has saved, and nothing is measured; of several, the page has all
  --performance measures what docs/performance.md has, about ${durationText(performanceRuns.reduce((sum, { seconds }) => sum + seconds, 0))}, and writes its tables anew; RUN: these alone, of
                ${performanceRuns.map(({ name }) => name).join(", ")}
  --list        scenarios, subjects, runtimes, and how long each part takes
  --self-test   shows that the same subject twice gives 1, and that a cost that was added is seen
  --help        this text

The exit status is 1 when a measurement breaks, whatever the figures are.`

export function listText(): string {
  const indented = (lines: readonly string[]) => lines.map((line) => `  ${line}`).join("\n")
  const groups = checkGroups.map(
    ({ name, seconds }) =>
      `${name.padEnd(12)}${durationText(seconds.whole).padStart(7)}, quick ${durationText(seconds.quick)}`,
  )
  return [
    "scenarios in memory",
    indented([...handshakeScenarios, ...recordScenarios, ...hashScenarios]),
    "scenarios of the part matrix",
    indented(matrixScenarios),
    "subjects in memory",
    indented(subjectNames),
    "peers over sockets, where they are installed",
    indented([
      "node:tls (OpenSSL)",
      ...Object.values(foreignServers),
      "aedes on node:tls",
      "mosquitto",
      ...Object.values(otherClients).map(({ package: name }) => name),
    ]),
    "runtimes (--on)",
    indented(runtimeNames),
    "parts, and how long each takes",
    indented(partNames.map((name) => `${name.padEnd(12)}${durationText(parts[name]!.seconds).padStart(7)}`)),
    "groups of --check, and how long each takes",
    indented(groups),
    "runs of --performance, and how long each takes",
    indented(performanceRuns.map(({ name, seconds }) => `${name.padEnd(18)}${durationText(seconds).padStart(7)}`)),
  ].join("\n")
}
