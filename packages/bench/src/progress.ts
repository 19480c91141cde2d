/** What a run is about, for who waits for it: a line on stderr, as the report is on stdout. */
export function progress(line: string): void {
  process.stderr.write(`bench: ${line}\n`)
}
