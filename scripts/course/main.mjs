// `npm run course`: exercises for a class. A part of the stack is emptied in a scratch copy, and the project's own tests tell when
// a student has written it right.

import { spawnSync } from "node:child_process"
import { relative } from "node:path"
import { fileURLToPath } from "node:url"
import { exercises } from "./exercises.mjs"
import { hasScratch, makeScratch } from "./scratch.mjs"

const root = fileURLToPath(new URL("../..", import.meta.url))
const folderOf = (id) => `${root}course/${id}`

const help = `Exercises on TLS 1.3: write a part of this stack yourself.

  npm run course                    the exercises, in order
  npm run course -- start NAME      make course/NAME: a copy of the stack in which the functions of the exercise are empty
  npm run course -- check NAME      run its tests: they pass when it is right
  npm run course -- start NAME --again
                                    begin anew: what you wrote in course/NAME is lost

The project itself is not touched. A way through its files beside the RFC: docs/reading-order.md.`

const [command = "list", id, ...flags] = process.argv.slice(2)
if (["--help", "-h", "help"].includes(command)) console.log(help)
else if (command === "list") list()
else if (command === "start") start(exerciseOf(id))
else if (command === "check") check(exerciseOf(id))
else stop(`unknown command ${JSON.stringify(command)}; see npm run course -- --help`)

function list() {
  for (const [index, { id: name, title, read }] of exercises.entries()) {
    console.log(`${String(index + 1).padStart(2)}  ${name.padEnd(12)} ${title}\n                ${read}`)
  }
  console.log(`\nBegin with: npm run course -- start ${exercises[0].id}`)
}

function start(exercise) {
  const folder = folderOf(exercise.id)
  if (hasScratch(folder) && !flags.includes("--again")) {
    stop(
      `course/${exercise.id} is there already; go on with it, or begin anew with --again, which loses what you wrote in it`,
    )
  }
  makeScratch(root, folder, exercise)
  console.log(`${exercise.title}\n\n  read    ${exercise.read}\n  task    ${exercise.ask}\n`)
  for (const [file, names] of Object.entries(exercise.empty)) {
    console.log(`  write   ${relative(process.cwd(), `${folder}/packages/tls13/src/${file}`)}: ${names.join(", ")}`)
  }
  console.log(`\nThen: npm run course -- check ${exercise.id}`)
}

function check(exercise) {
  const folder = folderOf(exercise.id)
  if (!hasScratch(folder)) stop(`there is no course/${exercise.id} yet: npm run course -- start ${exercise.id}`)
  const tests = exercise.tests.map((test) => `packages/tls13/${test}`)
  const vitest = `${root}node_modules/vitest/vitest.mjs`
  const { status } = spawnSync(process.execPath, [vitest, "run", "--root", folder, ...tests], { stdio: "inherit" })
  console.log(
    status === 0 ? `\nRight: ${exercise.title}.` : "\nNot yet. The first failure above is the one to look at.",
  )
  process.exitCode = status ?? 1
}

function exerciseOf(name) {
  const found = exercises.find((exercise) => exercise.id === name)
  if (found === undefined)
    stop(
      `${name === undefined ? "name an exercise" : `there is no exercise ${JSON.stringify(name)}`}: ${exercises.map((exercise) => exercise.id).join(", ")}`,
    )
  return found
}

function stop(message) {
  console.error(`course: ${message}`)
  process.exit(2)
}
