/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* Depth first through all schedules with at most so many preemptions: bound 0, then 1,
 * and so on, because a schedule that fails with fewer is easier to read.
 *
 * Two things keep the number of schedules down, neither of which loses an outcome:
 *
 * A preemption just before an operation that races with no other leads where the same
 * preemption before the next operation leads. Which operations race is learnt, by the
 * line of code they stand in: it is enough to know those that a later one was seen to
 * race with. When new ones are found, the search for this bound is done once more.
 *
 * A state that was met before, with as many preemptions left or more, has had all its
 * continuations explored, or will have. A state is what was done and what each operation
 * depended on; in which order independent operations came does not matter. It is known
 * by a hash of 64 bits. */

#include "config.h"

#include "explore-private.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define MAX_DEPTH 16384
#define N_STATES ((gsize) 1 << 23)
#define PROBES 16
#define N_RACY 8192 /* a power of two */
#define UNBOUNDED 1000
#define RANDOM_SCHEDULES 10000

typedef struct
{
  guint32 at;          /* which decision of the schedule this was */
  guint8 n;
  guint8 chosen;
  guint8 options[MAX_OPTIONS];
} Choice;

typedef struct
{
  guint32 at;
  guint8 option;
} Replay;

static struct
{
  Choice choices[MAX_DEPTH];
  guint depth;          /* of the choices that stand */
  guint replayed;       /* of these, how many this schedule has come by */
  guint32 decision;
  gboolean pruned;      /* the rest of this schedule is known */
  gboolean prune;
  gboolean replaying;
  const char *replay_string;
  Replay replay[MAX_DEPTH];
  guint n_replay;
  guint64 racy[N_RACY];
  guint64 random;       /* state of the generator; 0: search */
  guint calm;           /* go on by default but for one in so many decisions */
  guint n_open;         /* decisions with more than one option */
  guint n_racy;
  gboolean racy_grew;
  guint64 *states;      /* hash in the upper bits, preemptions left in the lower ones */
  SearchResult result;
  gint64 started;
} search;

static GHashTable *outcomes;

guint explore_variant;

const SearchResult *
explore_get_progress (void)
{
  search.result.time = g_get_monotonic_time () - search.started;
  search.result.bug_reached = run.bug_reached;

  return &search.result;
}

static guint64 *
racy_slot (guint64 site)
{
  guint at = (site >> 32) % N_RACY;

  while (search.racy[at] != 0 && search.racy[at] != site)
    at = (at + 1) % N_RACY;

  return &search.racy[at];
}

gboolean
explore_is_racy (guint64 site)
{
  return !search.prune || *racy_slot (site) != 0;
}

void
explore_set_racy (guint64 site)
{
  guint64 *slot = racy_slot (site);

  if (*slot == 0)
    {
      *slot = site;
      search.racy_grew = TRUE;
      if (++search.n_racy > N_RACY / 2)
        explore_fail ("too many operations race");
    }
}

/* TRUE: met before with at least @budget preemptions left. */
static gboolean
state_is_known (guint64 state,
                guint   budget)
{
  guint64 mask = 0xf;
  gsize at = (state >> 20) % N_STATES;
  guint i;

  if (!search.prune)
    return FALSE;

  state = state << 4 | 1 << 4; /* never 0 */
  for (i = 0; i < PROBES; i++, at = (at + 1) % N_STATES)
    {
      guint64 *slot = &search.states[at];

      if (*slot == 0)
        {
          *slot = state | budget;
          return FALSE;
        }
      if ((*slot & ~mask) == state)
        {
          if ((*slot & mask) >= budget)
            return TRUE;
          *slot = state | budget;
          return FALSE;
        }
    }

  /* A full table only costs time. */
  return FALSE;
}

static int
choose_replay (const Options *list,
               guint32        at)
{
  guint i, k;

  for (i = 0; i < search.n_replay && search.replay[i].at != at; i++)
    ;
  if (i == search.n_replay)
    return 0;

  for (k = 0; k < list->n; k++)
    {
      if (list->options[k] == search.replay[i].option)
        return k;
    }

  explore_fail ("the replay string does not fit: decision %u has no option %x", at,
                search.replay[i].option);
}

static guint
choose_random (guint n)
{
  search.n_open++;
  search.random ^= search.random << 13;
  search.random ^= search.random >> 7;
  search.random ^= search.random << 17;

  return search.random % search.calm == 0 ? (search.random >> 32) % n : 0;
}

/* There is only one way to go on. */
void
explore_choose_nothing (void)
{
  search.decision++;
}

int
explore_choose (const Options *list,
                Thread        *self,
                Thread        *graced,
                gboolean       yields)
{
  guint32 at = search.decision++;
  Choice *choice;

  if (search.replaying)
    return choose_replay (list, at);

  if (search.replayed < search.depth)
    {
      choice = &search.choices[search.replayed];
      if (choice->at != at)
        return 0;
      search.replayed++;
      if (choice->n != list->n || memcmp (choice->options, list->options, list->n) != 0)
        explore_fail ("the model is not deterministic: decision %u has %u options, had %u", at,
                      list->n, choice->n);
      return choice->chosen;
    }

  if (list->n == 1 || search.pruned)
    return 0;

  if (search.random == 0
      && state_is_known (explore_mix (run.sum, explore_flags_of_state (self, graced, yields)),
                         run.budget))
    {
      search.pruned = TRUE;
      return 0;
    }

  if (search.depth == MAX_DEPTH)
    explore_fail ("too many decisions");

  choice = &search.choices[search.depth++];
  search.replayed++;
  choice->at = at;
  choice->n = list->n;
  choice->chosen = search.random != 0 ? choose_random (list->n) : 0;
  memcpy (choice->options, list->options, list->n);

  return choice->chosen;
}

char *
explore_dup_replay (void)
{
  GString *string = g_string_new (search.replaying ? search.replay_string : NULL);
  guint i;

  for (i = 0; i < search.replayed; i++)
    {
      Choice *choice = &search.choices[i];

      if (choice->chosen > 0)
        g_string_append_printf (string, "%s%u:%x", string->len ? "," : "", choice->at,
                                choice->options[choice->chosen]);
    }

  return g_string_free (string, FALSE);
}

static void
read_replay (const char *string)
{
  char **words = g_strsplit (string, ",", -1);
  guint i;

  search.replay_string = string;
  for (i = 0; words[i] && search.n_replay < MAX_DEPTH; i++)
    {
      guint at, option;

      if (sscanf (words[i], "%u:%x", &at, &option) == 2)
        search.replay[search.n_replay++] = (Replay){ at, option };
    }
  g_strfreev (words);
}

void
explore_outcome (guint64 outcome)
{
  gint64 key = outcome;

  /* What takes more preemptions than the bound allows does not count. */
  if (search.random != 0)
    return;

  if (outcomes == NULL)
    outcomes = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  explore_memory_enter (FALSE);
  if (!g_hash_table_contains (outcomes, &key))
    g_hash_table_add (outcomes, g_memdup2 (&key, sizeof key));
  explore_memory_enter (TRUE);
}

/* FALSE: there is no next schedule. */
static gboolean
next_choices (void)
{
  while (search.depth > 0)
    {
      Choice *last = &search.choices[search.depth - 1];

      if (++last->chosen < last->n)
        return TRUE;
      search.depth--;
    }

  return FALSE;
}

static void
one_schedule (guint    budget,
              gboolean fresh_memory)
{
  search.replayed = 0;
  search.decision = 0;
  search.pruned = FALSE;
  run.budget = budget;
  explore_memory_begin (fresh_memory);
  explore_run_schedule ();
}

/* What GLib allocates once, on first use, is not a leak: it does not come again. */
static void
check_leaks (guint budget)
{
  guint left = explore_memory_end ();

  if (left == 0 || run.model->may_leak)
    return;

  explore_memory_trace (TRUE);
  one_schedule (budget, TRUE);
  left = explore_memory_end ();
  explore_memory_trace (FALSE);
  if (left > 0)
    {
      GString *report = g_string_new (NULL);

      explore_memory_describe (report);
      explore_fail ("leak: %u blocks are left after teardown%s", left, report->str);
    }
}

/* Schedules at random, to know most of what races before that is relied on: otherwise
 * the greatest bound would have to be searched once more. */
static void
search_random (guint  n,
               gint64 deadline)
{
  guint i;

  search.random = 88172645463325252u;
  for (i = 0; i < n && g_get_monotonic_time () < deadline; i++)
    {
      /* With one to eight switches on average. */
      search.calm = MAX (search.n_open / (1 + i % 8), 2);
      search.n_open = 0;
      search.depth = 0;
      search.result.schedules++;
      one_schedule (UNBOUNDED, FALSE);
      check_leaks (UNBOUNDED);
    }
  search.random = 0;
}

/* All schedules with at most @bound preemptions. FALSE: out of time. @length: how many
 * there were with one less, then these. */
static gboolean
search_bound (guint    bound,
              gint64   deadline,
              guint64 *length)
{
  guint64 before;

  search.result.bound = bound;

again:
  search.depth = 0;
  search.racy_grew = FALSE;
  before = search.result.schedules;
  madvise (search.states, N_STATES * sizeof (guint64), MADV_DONTNEED);

  do
    {
      search.result.schedules++;
      one_schedule (bound, FALSE);
      search.result.max_steps = MAX (search.result.max_steps, run.n_steps);
      check_leaks (bound);
      /* Early on it is cheaper to begin again than to do all of it twice. */
      if (search.racy_grew && search.result.schedules - before < 4 * *length)
        goto again;
      if (g_get_monotonic_time () > deadline)
        return FALSE;
    }
  while (next_choices ());

  if (explore_report_all)
    printf ("bound %u: %" G_GUINT64_FORMAT " schedules, %u lines of code race%s\n", bound,
            search.result.schedules - before, search.n_racy, search.racy_grew ? ", once more" : "");
  if (search.racy_grew)
    goto again;
  *length = search.result.schedules - before;

  return TRUE;
}

static void
search_bounds (guint  most,
               gint64 deadline)
{
  guint64 length = 0;
  guint bound;

  search.result.exhausted = TRUE;
  for (bound = 0; bound <= most && search.result.exhausted; bound++)
    {
      if (bound == 2 && search.prune)
        search_random (MIN (RANDOM_SCHEDULES, 4 * length), deadline);
      search.result.exhausted = search_bound (bound, deadline, &length);
    }
}

static void
search_replay (const char *string)
{
  guint i;

  search.prune = FALSE;
  search.replaying = TRUE;
  for (i = 0; i < 3; i++)
    {
      /* Memory is as it was then only after a few schedules. */
      if (i == 2)
        read_replay (string);
      one_schedule (UNBOUNDED, FALSE);
      check_leaks (UNBOUNDED);
    }

  search.result.schedules = 1;
  explore_report_steps ();
}

void
explore_search (const ExploreModel *model,
                const char         *bug,
                const SearchLimits *limits,
                SearchResult       *result)
{
  guint most = limits->bound + model->more;

  if (model->bound > 0)
    most = MIN (most, model->bound);

  run.model = model;
  run.bug = bug;
  run.bug_reached = FALSE;
  memset (search.racy, 0, sizeof search.racy);
  search.n_racy = 0;
  memset (&search.result, 0, sizeof search.result);
  search.prune = limits->prune;
  search.started = g_get_monotonic_time ();
  if (outcomes != NULL)
    g_hash_table_remove_all (outcomes);

  if (search.states == NULL)
    search.states = mmap (NULL, N_STATES * sizeof (guint64), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  if (limits->replay != NULL)
    search_replay (limits->replay);
  else
    search_bounds (most, limits->deadline);

  *result = *explore_get_progress ();
  if (outcomes != NULL)
    {
      GHashTableIter iter;
      gpointer key;

      g_hash_table_iter_init (&iter, outcomes);
      while (g_hash_table_iter_next (&iter, &key, NULL))
        result->outcomes += explore_mix (*(guint64 *) key, 1);
      result->n_outcomes = g_hash_table_size (outcomes);
    }
}

void
explore_search_variants (const ExploreModel *model,
                         const SearchLimits *limits,
                         SearchResult       *result)
{
  guint64 schedules = 0;
  gint64 time = 0;

  for (explore_variant = 1; explore_variant <= model->variants; explore_variant++)
    {
      SearchLimits all = *limits;
      SearchResult without;

      explore_search (model, NULL, limits, result);
      all.prune = FALSE;
      explore_search (model, NULL, &all, &without);
      schedules += result->schedules + without.schedules;
      time += result->time + without.time;
      result->exhausted = result->exhausted && without.exhausted;
      if (!result->exhausted)
        break;
      if (result->outcomes != without.outcomes)
        explore_fail ("variant %u: %" G_GUINT64_FORMAT " outcomes, but %" G_GUINT64_FORMAT
                      " without pruning",
                      explore_variant, result->n_outcomes, without.n_outcomes);
      if (explore_report_all)
        printf ("variant %u: %" G_GUINT64_FORMAT " outcomes in %" G_GUINT64_FORMAT
                " schedules, without pruning %" G_GUINT64_FORMAT "\n",
                explore_variant, result->n_outcomes, result->schedules, without.schedules);
    }

  result->schedules = schedules;
  result->time = time;
}
