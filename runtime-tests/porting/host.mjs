import { newQuickJSWASMModuleFromVariant } from "quickjs-emscripten-core"

/** An engine that has run `code`, and is lent random bytes. @param loader finds the modules that `code` imports, if it does */
export async function startEngine(variant, code, random, loader) {
  const runtime = (await newQuickJSWASMModuleFromVariant(variant)).newRuntime()
  if (loader !== undefined) runtime.setModuleLoader(loader.read, loader.resolve)
  const context = runtime.newContext()
  const bytesIn = (bytes) => context.newArrayBuffer(Uint8Array.from(bytes).buffer)
  const used = () => runtime.computeMemoryUsage().consume((usage) => context.dump(usage).memory_used_size)
  const empty = used()

  const lendRandom = (length) => bytesIn(random(context.getNumber(length)))
  context.newFunction("lendRandom", lendRandom).consume((lent) => context.setProp(context.global, "lendRandom", lent))
  context.unwrapResult(context.evalCode(code, "main.js", { type: "module" })).dispose()

  /** Calls a function of the engine: numbers, texts and bytes go in, a text or bytes come out. */
  function call(name, ...values) {
    const given = values.map((value) => {
      if (typeof value === "number") return context.newNumber(value)
      return typeof value === "string" ? context.newString(value) : bytesIn(value)
    })
    const called = context.getProp(context.global, name)
    const outcome = context.callFunction(called, context.undefined, ...given)
    for (const handle of [called, ...given]) handle.dispose()
    return context.unwrapResult(outcome).consume((result) => {
      if (context.typeof(result) === "string") return context.getString(result)
      return context.getArrayBuffer(result).consume(({ value }) => Uint8Array.from(value))
    })
  }
  return { call, bytesUsed: () => used() - empty }
}
