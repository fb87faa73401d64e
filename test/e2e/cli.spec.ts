import { expect, PASSWORD, type QdAnswer, test } from './story.ts'

const ENVIRONMENT = 'dev'
const NAME = `cli-${Date.now().toString(36)}`
const deployment = (answer: QdAnswer) => JSON.parse(answer.stdout)

test('[APP-22] [DEL-13] qd deploys, reads, changes, undoes and deletes, with the exit codes it promises', async ({
  qd,
  platform,
}) => {
  test.skip(!platform.real, 'containers do not really run here')
  const say = async (status: number, ...args: string[]) => {
    const answer = await qd(args)
    expect([args.join(' '), answer.status, answer.status === status ? '' : answer.stderr]).toEqual([
      args.join(' '),
      status,
      '',
    ])
    return answer
  }

  await test.step('sign in', async () => {
    await say(3, 'app', 'list', '--env', ENVIRONMENT)
    const signedIn = await qd(
      ['login', '--server', platform.url, '--user', 'admin', '--password-stdin'],
      `${PASSWORD}\n`,
    )
    expect(signedIn.status, signedIn.stderr).toBe(0)
    await say(0, 'env', 'use', ENVIRONMENT)
  })

  await test.step('deploy an image and wait', async () => {
    const deployed = await say(
      0,
      'app',
      'deploy',
      `${platform.registry}/hello:1`,
      '--name',
      NAME,
      '--env',
      ENVIRONMENT,
      '--wait',
      '-o',
      'json',
    )
    expect(deployment(deployed).state).toBe('Succeeded')
  })

  const { address } = await test.step('list it and open its address', async () => {
    const { items } = deployment(await say(0, 'app', 'list', '-o', 'json'))
    const found = items.find(({ name }: { name: string }) => name === NAME)
    expect(found).toMatchObject({ state: 'Healthy', readyReplicas: 1 })
    const table = await say(0, 'app', 'list')
    expect(table.stdout).toContain(NAME)
    return found as { address: { url: string } }
  })
  const answered = await fetch(address.url)
  expect(answered.status).toBe(200)

  await test.step('logs and a command inside', async () => {
    await expect.poll(async () => (await qd(['logs', NAME])).stdout.length).toBeGreaterThan(0)
    const inside = await say(0, 'exec', NAME, '--', 'sh', '-c', 'echo inside')
    expect(inside.stdout).toContain('inside')
    const failing = await qd(['exec', NAME, '--', 'sh', '-c', 'exit 7'])
    expect(failing.status).toBe(7)
  })

  const operation = await test.step('another image, shown before it is done', async () => {
    const plan = await say(0, 'app', 'set-image', NAME, `${platform.registry}/hello:2`, '--dry-run', '-o', 'json')
    const fields = deployment(plan).changes.flatMap(({ fields }: { fields: { path: string }[] }) => fields)
    expect(fields.some(({ path }: { path: string }) => path.endsWith('image'))).toBe(true)
    const changed = await say(0, 'app', 'set-image', NAME, `${platform.registry}/hello:2`, '--wait', '-o', 'json')
    const got = deployment(await say(0, 'app', 'get', NAME, '-o', 'json'))
    expect(got.image).toContain('hello:2')
    return deployment(changed) as { id: string }
  })

  await test.step('undo puts the image back', async () => {
    await say(0, 'operation', 'undo', operation.id, '--wait', '-o', 'json')
    const got = deployment(await say(0, 'app', 'get', NAME, '-o', 'json'))
    expect(got.image).toContain('hello:1')
  })

  await test.step('scale, restart', async () => {
    await say(0, 'app', 'scale', NAME, '2', '--wait')
    expect(deployment(await say(0, 'app', 'get', NAME, '-o', 'json')).readyReplicas).toBe(2)
    await say(0, 'app', 'restart', NAME, '--wait')
  })

  await test.step('wrong use ends with 2, a problem with 1', async () => {
    await say(2, 'app', 'scale', NAME, 'many')
    await say(2, 'no-such-command')
    const missing = await say(1, 'app', 'get', 'nobody')
    expect(missing.stderr).toContain('nobody')
    await say(1, 'app', 'deploy', `${platform.registry}/hello:none`, '--name', 'absent')
    await say(1, 'app', 'deploy', `${platform.registry}/hello:1`, '--name', 'Capitals')
    await say(1, 'app', 'list', '--env', 'nowhere')
  })

  await test.step('delete', async () => {
    await say(0, 'app', 'delete', NAME, '--yes', '--wait')
    await say(1, 'app', 'get', NAME)
  })
})
