/** The part of a runner that trains, as a process of its own, so that it can be killed. */
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { EdgeJobs } from '#gpu-runner/jobs/edge-jobs.ts'
import { JobLoop } from '#gpu-runner/jobs/job-loop.ts'
import { PublishedFiles } from '#gpu-runner/store/published-files.ts'

const { EDGE_URL: edge = '', RUNNER_SECRET: secret = '', JOBS_FOLDER: folder = '' } = process.env
const loop = new JobLoop({
  edge: new EdgeJobs({ edge, secret, runner: randomUUID() }),
  published: new PublishedFiles({ root: path.join(folder, 'models'), edge, secret }),
  folder,
  threads: 1,
  log: (event) => console.log(JSON.stringify(event)),
})
process.once('SIGTERM', () => void loop.stop().then(() => process.exit(0)))
process.once('disconnect', () => process.exit(0))
