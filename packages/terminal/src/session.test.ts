import { PassThrough } from 'node:stream'
import type { TerminalSize } from '@quarterdeck/kube'
import { expect, test } from 'vitest'
import { type Attachment, HISTORY_BYTES, Session, type SessionOptions } from './session.ts'
import { createTerminals } from './terminals.ts'

// A command whose two ends are in this process: what it writes and when it ends is the test's to say.
function command() {
  const stdout = new PassThrough({ highWaterMark: 1_000 })
  const stderr = new PassThrough()
  const stdin = new PassThrough()
  const sizes: TerminalSize[] = []
  const { promise: exit, resolve, reject } = Promise.withResolvers<number>()
  exit.catch(() => undefined)
  const over = () => {
    stdout.end()
    stderr.end()
  }
  const exec = {
    stdout,
    stderr,
    stdin,
    exit,
    resize: (size: TerminalSize) => void sizes.push(size),
    close() {
      reject(new Error('cut off'))
      over()
    },
  }
  const end = (code: number) => {
    resolve(code)
    over()
  }
  return { exec, sizes, end }
}

const start = (options: Partial<SessionOptions> = {}) => {
  const { exec, ...rest } = command()
  return { ...rest, exec, session: new Session({ tty: true, exec, idleMs: 600_000, onEnd: () => {}, ...options }) }
}

async function readAll(attachment: Attachment): Promise<string> {
  let text = ''
  for (let piece = await attachment.next(); piece; piece = await attachment.next()) {
    text += Buffer.from(piece.bytes).toString()
  }
  return text
}

/** Lets everything that can go on go on. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 5))

test('several read the same output, each from where it asks, and all learn of the end', async () => {
  const { session, exec, end } = start({ begun: Buffer.from('prompt ') })
  const first = readAll(session.attach(0))
  exec.stdout.write('hello')
  await settled()
  const second = readAll(session.attach(7))
  exec.stdout.write(' world')
  end(3)
  expect(await first).toBe('prompt hello world')
  expect(await second).toBe('hello world')
  expect(await session.done).toEqual({ exitCode: 3, message: '' })
  expect(await readAll(session.attach(0))).toBe('prompt hello world')
})

test('a terminal that nobody watches goes on; who comes back is told where what is left begins', async () => {
  const { session, exec } = start()
  session.attach(0).detach()
  for (let round = 0; round < 100; round += 1) {
    exec.stdout.write(Buffer.alloc(10_000, 'x'))
    await settled()
  }
  const attachment = session.attach(5)
  expect(attachment.offset).toBeGreaterThan(5)
  expect(attachment.offset).toBeGreaterThanOrEqual(1_000_000 - HISTORY_BYTES - 32_768)
  expect((await attachment.next())?.bytes.length).toBeGreaterThan(0)
})

test('a slow reader holds the command back, and gets all of it', async () => {
  const { session, exec, end } = start()
  const attachment = session.attach(0)
  let written = 0
  let open = true
  while (open && written < 10_000_000) {
    open = exec.stdout.write(Buffer.alloc(10_000, 'y'))
    written += 10_000
    if (!open) {
      await settled()
      open = !exec.stdout.writableNeedDrain
    }
  }
  expect(written).toBeLessThan(HISTORY_BYTES)
  const reading = readAll(attachment)
  await settled()
  end(0)
  expect((await reading).length).toBe(written)
})

test('a command without a terminal waits for its first reader and loses nothing', async () => {
  const { session, exec, end } = start({ tty: false })
  let written = 0
  for (let round = 0; round < 100 && !exec.stdout.writableNeedDrain; round += 1) {
    exec.stdout.write(Buffer.alloc(10_000, 'z'))
    written += 10_000
    await settled()
  }
  expect(written).toBeLessThan(HISTORY_BYTES)
  const reading = readAll(session.attach(0))
  end(0)
  expect((await reading).length).toBe(written)
})

test('output and error output in turn are held back in time, too', async () => {
  const { session, exec, end } = start({ tty: false })
  let written = 0
  for (let round = 0; round < 5_000 && !exec.stdout.isPaused(); round += 1) {
    exec.stdout.write('o')
    await new Promise(setImmediate)
    exec.stderr.write('e')
    await new Promise(setImmediate)
    written += 2
  }
  expect(exec.stderr.isPaused()).toBe(true)
  const reading = readAll(session.attach(0))
  end(0)
  expect((await reading).length).toBe(written)
})

test('nobody connected for the idle time ends it, with the reason; somebody connected keeps it', async () => {
  const { session } = start({ idleMs: 1 })
  expect(await session.done).toEqual({ exitCode: null, message: 'Nobody was connected for 0 minutes' })
  const watched = start({ idleMs: 20 })
  const attachment = watched.session.attach(0)
  await new Promise((resolve) => setTimeout(resolve, 60))
  expect(watched.session.ended).toBeUndefined()
  attachment.detach()
  await watched.session.done
})

test('ending asks the command first and then cuts the connection, once', async () => {
  let asked = 0
  const { session, exec } = start({
    stop: async () => {
      asked += 1
      exec.stdout.write('bye')
    },
  })
  const reading = readAll(session.attach(0))
  await Promise.all([session.close('Ended by ann'), session.close('again')])
  expect(asked).toBe(1)
  expect(await reading).toBe('bye')
  expect(session.ended).toEqual({ exitCode: null, message: 'Ended by ann' })
})

test('input, its end and sizes reach the command; after its end they go nowhere', async () => {
  const { session, exec, sizes, end } = start()
  session.write(Buffer.from('ls\n'), () => {})
  session.resize({ columns: 132, rows: 50 })
  session.closeInput()
  expect(String(exec.stdin.read())).toBe('ls\n')
  expect(exec.stdin.writableEnded).toBe(true)
  expect(sizes).toEqual([{ columns: 132, rows: 50 }])
  void session.attach(0)
  end(0)
  await session.done
  expect(session.write(Buffer.from('x'), () => {})).toBe(true)
  session.resize({ columns: 1, rows: 1 })
  expect(sizes).toHaveLength(1)
})

test('one user has so many terminals and no more, those being opened counted, and never sees those of another', async () => {
  const terminals = createTerminals<string>({ perOwner: 2 })
  const one = command()
  expect([terminals.reserve('ann'), terminals.reserve('ann'), terminals.reserve('ann')]).toEqual([true, true, false])
  expect(terminals.reserve('bob')).toBe(true)
  const { session } = terminals.open('ann', 'a', { tty: true, exec: one.exec })
  terminals.release('ann')
  expect(terminals.reserve('ann')).toBe(true)
  expect(terminals.reserve('ann')).toBe(false)
  expect(terminals.find('bob', session.id)).toBeUndefined()
  expect(terminals.list('bob')).toEqual([])
  expect(terminals.find('ann', session.id)?.about).toBe('a')
  one.end(0)
  await session.done
  await settled()
  expect(terminals.reserve('ann')).toBe(true)
  expect(terminals.list('ann').map((owned) => owned.session.ended?.exitCode)).toEqual([0])
  await terminals.close('over')
})
