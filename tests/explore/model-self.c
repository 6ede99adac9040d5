/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Does leaving schedules out lose an outcome? Small random programs over all the
 * operations there are, each searched with and without pruning: what they can compute
 * must be the same set. */

#include "config.h"

#include "explore-models.h"

#define N_THREADS 3
#define N_OPERATIONS 4
#define N_WORDS 3

typedef struct
{
  ConcurWord words[N_WORDS];
  ConcurLock lock;
  ConcurCond cond;
  guint32 plain; /* under the lock */
  guint64 seen[N_THREADS];
} Program;

static guint32
next_random (guint32 *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;

  return *state >> 3;
}

static gpointer
program_setup (void)
{
  return g_new0 (Program, 1);
}

static void
run_locked (Program *program,
            guint    thread,
            guint32  random)
{
  program->plain = program->plain * 3 + thread + 1;
  if (random % 3 == 0)
    concur_atomic_add (&program->words[random / 3 % N_WORDS], 1, CONCUR_SEQ_CST);
  if (random % 4 == 1)
    program->seen[thread] += 1000
                             * concur_cond_wait_until (&program->cond, &program->lock,
                                                       concur_deadline (1000));
  program->seen[thread] = program->seen[thread] * 31 + program->plain;
}

static void
run_operation (Program *program,
               guint    thread,
               guint32  random)
{
  ConcurWord *word = &program->words[random / 16 % N_WORDS];
  guint64 *seen = &program->seen[thread];
  guint32 expected = random / 64 % 2;

  switch (random % 12)
    {
    case 0:
    case 1:
      *seen = *seen * 31 + concur_atomic_load (word, CONCUR_SEQ_CST);
      break;
    case 2:
      concur_atomic_store (word, random / 64 % 3, CONCUR_SEQ_CST);
      break;
    case 3:
      *seen = *seen * 31 + concur_atomic_add (word, 1, CONCUR_SEQ_CST);
      break;
    case 4:
      *seen = *seen * 31 + concur_atomic_cas (word, &expected, 2, CONCUR_SEQ_CST);
      break;
    case 5:
      *seen = *seen * 31 + concur_park (word, expected, concur_deadline (1000));
      break;
    case 6:
      if (random & 64)
        concur_unpark_one (word);
      else
        concur_unpark_all (word);
      break;
    case 7:
    case 8:
      concur_lock_acquire (&program->lock);
      run_locked (program, thread, random / 64);
      concur_lock_release (&program->lock);
      break;
    case 9:
      if (concur_lock_try (&program->lock))
        {
          run_locked (program, thread, random / 64);
          concur_lock_release (&program->lock);
        }
      else
        {
          *seen = *seen * 31 + 7;
        }
      break;
    case 10:
      if (random & 64)
        concur_cond_signal (&program->cond);
      else
        concur_cond_broadcast (&program->cond);
      break;
    default:
      /* More often, and the order would depend on who is fair to whom. */
      if (concur_atomic_load (word, CONCUR_SEQ_CST) == 0)
        concur_yield ();
      *seen = *seen * 31 + concur_atomic_load (word, CONCUR_SEQ_CST);
      break;
    }
}

static void
run_part (Program *program,
          guint    thread)
{
  guint32 random = explore_variant * 2654435761u + thread * 40503u + 1;
  guint i;

  for (i = 0; i < 8; i++)
    next_random (&random);
  for (i = 0; i < N_OPERATIONS; i++)
    run_operation (program, thread, next_random (&random));
}

static void
run_part_0 (gpointer data)
{
  run_part (data, 0);
}

static void
run_part_1 (gpointer data)
{
  run_part (data, 1);
}

static void
run_part_2 (gpointer data)
{
  run_part (data, 2);
}

static void
program_finish (gpointer data)
{
  Program *program = data;
  guint64 outcome = program->plain;
  guint i;

  for (i = 0; i < N_WORDS; i++)
    outcome = outcome * 1000003 + concur_atomic_load (&program->words[i], CONCUR_SEQ_CST);
  for (i = 0; i < N_THREADS; i++)
    outcome = outcome * 1000003 + program->seen[i];
  explore_outcome (outcome);
}

const ExploreModel explore_self_models[] = {
  {
    .name = "explorer-loses-nothing",
    .setup = program_setup,
    .threads = { run_part_0, run_part_1, run_part_2 },
    .finish = program_finish,
    .teardown = g_free,
    .bound = 1,
    .variants = 40,
  },
  { NULL },
};
