/** As somebody types it in a shell. @param args of `npm run bench` */
export function commandLine(args: readonly string[]): string {
  const words = args.map((word) => (/^[\w,=.:/@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
  return ["npm run bench", ...(words.length === 0 ? [] : ["--", ...words])].join(" ")
}
