import { setTimeout as sleep } from 'node:timers/promises'
import { type Browser, type CDPSession, chromium, type Page } from '@playwright/test'
import { type Keep, progress, type Result, result } from '../measure.ts'
import { type Door, openDoor } from '../world/door.ts'
import { openStorm, type Storm } from '../world/storm.ts'
import { usageOf } from '../world/usage.ts'
import type { World } from '../world/world.ts'
import { precise } from './pages.ts'

const CHANGES_A_SECOND = 1_000
const SCROLL_SECONDS = 10
/** The storm hands over what it wrote after each of these, and the heap is looked at: a minute in a long run. */
const SAMPLE_SECONDS = { short: 10, long: 60 }
const LONG_MINUTES = 10

/**
 * W16: the table of all pods in Chromium: scrolled, and left open while a thousand pods a second change. A result is
 * handed over after each look at the heap, so that a run that is ended leaves what it has seen.
 */
export async function tableInBrowser(world: World, keep: Keep): Promise<void> {
  const cluster = await world.cluster()
  const pods = await world.pods()
  const minutes = world.options.minutes ?? 2
  progress('our server, the storm, Chromium')
  const door = await openDoor({ kubeconfigFile: cluster.plane.kubeconfigFile, pods: pods.length })
  const storm = await openStorm(cluster)
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--js-flags=--expose-gc', '--enable-precise-memory-info'],
  })
  try {
    const opened = await openPage(browser, door)
    const quiet = await measureQuiet(opened, door)
    const seen: Seen = { pods: pods.length, minutes, quiet, samples: [], stormFrames: [] }
    keep({ ...report(seen), unfinished: true })
    const trouble = await leaveOpen(opened, storm, door, seen, () => keep({ ...report(seen), unfinished: true }))
    const whole = report(seen)
    keep(trouble === undefined ? whole : { ...whole, met: false, why: `${trouble} ${whole.why ?? ''}` })
  } finally {
    world.changed()
    await browser.close()
    storm.close()
    await door.close()
  }
}

interface Quiet {
  firstRowsMs: number
  heapAtFirst: number
  heapScrolled: number
  frames: number[]
  jumps: number[]
}

interface Sample extends Record<string, number> {
  /** Seconds since the storm began. */
  seconds: number
  heapMegabytes: number
  kilobytesPerSecondReceived: number
  serverResidentMegabytes: number
  changes: number
}

interface Seen {
  pods: number
  minutes: number
  quiet: Quiet
  samples: Sample[]
  stormFrames: number[]
}

type Opened = Awaited<ReturnType<typeof openPage>>

async function measureQuiet({ page, developer }: Opened, door: Door): Promise<Quiet> {
  progress('the table is opened, scrolled, and jumped about in')
  const began = performance.now()
  await page.goto(`${door.url}/explore/pods`)
  await page.locator('[data-index="0"]').first().waitFor({ timeout: 60_000 })
  const firstRowsMs = performance.now() - began
  const heapAtFirst = await heapBytes(developer)
  const frames = await scroll(page)
  const jumps = await jump(page)
  return { firstRowsMs, heapAtFirst, heapScrolled: await heapBytes(developer), frames, jumps }
}

/** A storm for each sample. Answers a sentence when it had to end before its time. */
async function leaveOpen(
  { page, developer, received }: Opened,
  storm: Storm,
  door: Door,
  seen: Seen,
  sampled: () => void,
): Promise<string | undefined> {
  const { minutes, samples } = seen
  const each = minutes >= LONG_MINUTES ? SAMPLE_SECONDS.long : SAMPLE_SECONDS.short
  const began = performance.now()
  for (let sample = 0; sample < (minutes * 60) / each; sample++) {
    progress(`open in a storm: ${sample * each} of ${minutes * 60} s`)
    try {
      const bytes = received()
      const start = performance.now()
      const blowing = storm.blow(CHANGES_A_SECOND, each)
      // A failure of the page must not leave this one without anybody who waits for it.
      blowing.catch(() => {})
      if (sample === 1) seen.stormFrames = await scroll(page)
      const changes = await blowing
      const heap = await heapBytes(developer)
      samples.push({
        seconds: Math.round((performance.now() - began) / 1000),
        heapMegabytes: megabytes(heap),
        kilobytesPerSecondReceived: Math.round((received() - bytes) / (performance.now() - start) / 0.1) / 10,
        serverResidentMegabytes: Math.round(usageOf(door.pid()).residentBytes / 1e6),
        changes: changes.length,
      })
      sampled()
    } catch (error) {
      return `Ended after ${Math.round((performance.now() - began) / 1000)} s of ${minutes * 60}: ${(error as Error).message}.`
    }
  }
  return undefined
}

const megabytes = (bytes: number) => Math.round(bytes / 1e5) / 10
const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / Math.max(1, values.length)

function report({ pods, minutes, quiet, samples, stormFrames }: Seen): Result {
  const heaps = samples.map(({ heapMegabytes }) => heapMegabytes)
  const half = Math.floor(heaps.length / 2)
  const lasted = samples.at(-1)?.seconds ?? 0
  const growth = half > 0 ? ((mean(heaps.slice(half)) - mean(heaps.slice(0, half))) / (lasted / 2)) * 3600 : 0
  const measured = {
    heapWorstMegabytes: Math.max(megabytes(quiet.heapAtFirst), megabytes(quiet.heapScrolled), ...heaps),
    scrollFrameP95Ms: precise(quiet.frames, 0.95),
    kilobytesPerSecondReceived: Math.round(mean(samples.map((one) => one.kilobytesPerSecondReceived)) * 10) / 10,
    heapGrowthMegabytesPerHour: Math.round(growth * 10) / 10,
    heapAtFirstMegabytes: megabytes(quiet.heapAtFirst),
    firstRowsMs: Math.round(quiet.firstRowsMs),
    scrollFrameP99Ms: precise(quiet.frames, 0.99),
    scrollFramesPerSecond: Math.round(quiet.frames.length / SCROLL_SECONDS),
    ...(stormFrames.length > 0 ? { stormScrollFrameP95Ms: precise(stormFrames, 0.95) } : {}),
    jumpP50Ms: precise(quiet.jumps, 0.5),
    jumpWorstMs: precise(quiet.jumps, 1),
    minutes: Math.round(lasted / 6) / 10,
  }
  const target = { heapWorstMegabytes: 80, scrollFrameP95Ms: 16.7, kilobytesPerSecondReceived: 40 }
  const remark = `Chromium without a screen (frames are drawn by the processor, which it shares with server, API server and etcd), window of 1440 by 900. To be left open for ${minutes} minutes of ${CHANGES_A_SECOND} changes a second (--minutes 60 runs the hour); heap after a collection of garbage, in samples. Frames: time from one animation frame to the next while the wheel turns for ${SCROLL_SECONDS} s; jump: from a scroll to a far row until it is there.`
  return { ...result('W16', pods, target, measured, {}, remark), samples: [...samples] }
}

async function openPage(browser: Browser, door: Door) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB' })
  const [name = '', value = ''] = door.cookie.split('=')
  await context.addCookies([{ name, value, url: door.url }])
  const page = await context.newPage()
  const developer = await context.newCDPSession(page)
  await developer.send('Network.enable')
  let bytes = 0
  developer.on('Network.webSocketFrameReceived', ({ response }) => {
    bytes += response.payloadData.length
  })
  return { page, developer, received: () => bytes }
}

async function heapBytes(developer: CDPSession): Promise<number> {
  await developer.send('HeapProfiler.collectGarbage')
  const { usedSize } = await developer.send('Runtime.getHeapUsage')
  return usedSize
}

/** Run in the page, where there is a document; as text, because nothing of a browser is known here. */
const NOTE_FRAMES = `
  globalThis.frames_ = { times: [], running: true }
  let last = performance.now()
  const note = (now) => {
    frames_.times.push(now - last)
    last = now
    if (frames_.running) requestAnimationFrame(note)
  }
  requestAnimationFrame(note)
`
const TAKE_FRAMES = 'frames_.running = false; frames_.times'

/** Milliseconds between animation frames while the list is scrolled with the wheel. */
async function scroll(page: Page): Promise<number[]> {
  await page.evaluate(`{ ${NOTE_FRAMES} }`)
  await page.locator('[data-index]').first().hover()
  const until = performance.now() + SCROLL_SECONDS * 1000
  for (let turn = 0; performance.now() < until; turn++) {
    await page.mouse.wheel(0, turn % 40 < 30 ? 240 : -240)
    await sleep(16)
  }
  return page.evaluate<number[]>(TAKE_FRAMES)
}

const JUMP = `async (to) => {
  let box = document.querySelector('[data-index]')?.parentElement
  while (box && box.scrollHeight <= box.clientHeight + 1) box = box.parentElement
  if (!box) throw new Error('Nothing can be scrolled here')
  const began = performance.now()
  const first = () => document.querySelector('[data-index] a')?.textContent
  const before = first()
  box.scrollTop = box.scrollHeight * to
  while (first() === before && performance.now() - began < 10_000) await new Promise(requestAnimationFrame)
  return performance.now() - began
}`

/** Milliseconds from setting the scroll bar anywhere until rows of that place are there. */
async function jump(page: Page): Promise<number[]> {
  const times: number[] = []
  for (const share of [0.5, 0.9, 0.1, 0.7, 0.3, 0.05]) times.push(await page.evaluate<number>(`(${JUMP})(${share})`))
  return times
}
