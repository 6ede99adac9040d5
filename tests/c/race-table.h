/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* doc/claim-table.md as data: read from the page itself, so that what is written there
 * and what is tested cannot differ. The tables are an automaton; what a race may lead to
 * is what its actors lead to in one order or the other. */

#pragma once

#include <gio/gio.h>
#include <string.h>

typedef enum
{
  ACTOR_NONE, /* who brought the job into its state */
  ACTOR_SUBMIT,
  ACTOR_TAKE,
  ACTOR_IN_PLACE,
  ACTOR_CANCEL,
  ACTOR_ABANDON,
  ACTOR_PARENT,
  ACTOR_ORDER,
  ACTOR_SHUT_PENDING,
  ACTOR_SHUT_ALL,
  ACTOR_FLUSH,
  ACTOR_ANSWER,
  ACTOR_PUBLISH,
  ACTOR_HOLD,
  ACTOR_RETURN,
  N_ACTORS
} Actor;

static const char *const actor_names[N_ACTORS] = {
  "none", "submit", "take", "in-place", "cancel", "abandon", "parent", "order",
  "shut-pending", "shut-all", "flush", "answer", "publish", "hold", "return",
};

typedef enum
{
  STATE_OPEN,
  STATE_OPEN_WARNED,
  STATE_OPEN_SHUT,
  STATE_OPEN_CANCELLED,
  STATE_GIVEN,
  STATE_QUEUED,
  STATE_MARKED,
  STATE_REFUSING,
  STATE_RUNNING,
  STATE_ANSWERING,
  STATE_ANSWERING_ABANDONED,
  STATE_ANSWERED,
  STATE_HOLDING,
  STATE_HELD,
  STATE_HELD_ANSWERING,
  STATE_ABANDONED,
  STATE_ABANDONED_HOLDING,
  STATE_ABANDONED_HELD,
  STATE_DROPPED,
  STATE_DONE,
  N_STATES
} State;

static const char *const state_names[N_STATES] = {
  "open", "open-warned", "open-shut", "open-cancelled", "given", "queued", "marked", "refusing",
  "running", "answering", "answering-abandoned", "answered", "holding", "held", "held-answering",
  "abandoned", "abandoned-holding", "abandoned-held", "dropped", "done",
};

typedef enum
{
  OUTCOME_NONE,
  OUTCOME_VALUE,
  OUTCOME_ERROR,
  OUTCOME_CANCELLED,
  N_OUTCOMES
} Outcome;

static const char *const outcome_names[N_OUTCOMES] = { "none", "value", "error", "cancelled" };

typedef struct
{
  gboolean listed;   /* one way or the other */
  gboolean possible;
  State next;
  Outcome outcome;   /* of a row that settles */
} Cell;

static Cell cells[N_STATES][N_ACTORS];

static inline int
find_name (const char *const *names,
           int                n,
           const char        *name,
           const char        *line)
{
  int i;

  for (i = 0; i < n; i++)
    {
      if (strcmp (names[i], name) == 0)
        return i;
    }

  g_error ("claim-table.md: \"%s\" is not known: %s", name, line);

  return -1;
}

static inline gboolean
state_is_done (State state)
{
  return state == STATE_OPEN_CANCELLED || state >= STATE_ABANDONED;
}

static inline gboolean
state_is_over (State state)
{
  return state >= STATE_DROPPED;
}

static inline gboolean
is_yes (const char *cell,
        const char *line)
{
  if (strcmp (cell, "yes") != 0 && strcmp (cell, "no") != 0)
    g_error ("claim-table.md: \"%s\" is neither yes nor no: %s", cell, line);

  return strcmp (cell, "yes") == 0;
}

static inline void
fill_cells (State       state,
            const char *actors,
            const Cell *cell,
            const char *line)
{
  g_auto (GStrv) names = g_strsplit (actors, ",", -1);
  guint i;

  for (i = 0; names[i] != NULL; i++)
    {
      Cell *at = &cells[state][find_name (actor_names, N_ACTORS, g_strstrip (names[i]), line)];

      if (at->listed)
        g_error ("claim-table.md: %s has %s twice", state_names[state], names[i]);
      *at = *cell;
      at->listed = TRUE;
    }
}

/* | actors | becomes[, outcome] | settles | ends | what happens | */
static inline void
read_row (State       state,
          const char *line)
{
  g_auto (GStrv) fields = g_strsplit (line, "|", 7);
  g_auto (GStrv) becomes = NULL;
  Cell cell = { .possible = TRUE };
  gboolean settles, ends;
  guint i;

  if (g_strv_length (fields) != 7)
    g_error ("claim-table.md: a row with too few fields: %s", line);
  for (i = 1; i < 6; i++)
    g_strstrip (fields[i]);

  becomes = g_strsplit (fields[2], ", ", 2);
  cell.next = strcmp (becomes[0], "same") == 0
                ? state
                : (State) find_name (state_names, N_STATES, becomes[0], line);
  if (becomes[1] != NULL)
    cell.outcome = (Outcome) find_name (outcome_names, N_OUTCOMES, becomes[1], line);

  /* What the columns say must be what the states are. */
  settles = is_yes (fields[3], line);
  ends = is_yes (fields[4], line);
  if (settles != (!state_is_done (state) && state_is_done (cell.next))
      || settles != (cell.outcome != OUTCOME_NONE)
      || ends != (!state_is_over (state) && state_is_over (cell.next)))
    g_error ("claim-table.md: in %s, this does not go together: %s", state_names[state], line);
  if (state_is_done (state) && !state_is_done (cell.next))
    g_error ("claim-table.md: nothing leads out of a done state: %s", line);

  fill_cells (state, fields[1], &cell, line);
}

static inline void
race_table_load (const char *path)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) lines = NULL;
  static const Cell impossible;
  int state = -1;
  guint i, j;

  if (!g_file_get_contents (path, &text, NULL, &error))
    g_error ("the claim table: %s", error->message);

  memset (cells, 0, sizeof cells);
  lines = g_strsplit (text, "\n", -1);
  for (i = 0; lines[i] != NULL; i++)
    {
      const char *line = lines[i];

      if (g_str_has_prefix (line, "### "))
        {
          state = find_name (state_names, N_STATES, line + 4, line);
        }
      else if (state < 0)
        {
          continue;
        }
      else if (g_str_has_prefix (line, "- ") && strchr (line, ':') != NULL)
        {
          g_autofree char *actors = g_strndup (line + 2, strchr (line, ':') - line - 2);

          fill_cells ((State) state, actors, &impossible, line);
        }
      else if (line[0] == '|' && !g_str_has_prefix (line, "| actor") && line[1] != '-')
        {
          read_row ((State) state, line);
        }
    }

  for (i = 0; i < N_STATES; i++)
    {
      for (j = ACTOR_NONE + 1; j < N_ACTORS; j++)
        {
          if (!cells[i][j].listed)
            g_error ("claim-table.md: %s does not say what %s does", state_names[i], actor_names[j]);
        }
    }
}

/* allowed[outcome]: the set of actors that may settle with it, a bit each. */
typedef guint32 Allowed[N_OUTCOMES];

typedef struct
{
  State state;
  Outcome outcome;
  Actor settler;
  int answerer;      /* -1: nobody has begun to answer; N_STEPS: who set the race up */
  gboolean published;
} Model;

/* What one actor does, one step after the other. */
#define N_STEPS 2

static const Actor steps[N_ACTORS][N_STEPS] = {
  [ACTOR_SUBMIT] = { ACTOR_SUBMIT },
  [ACTOR_TAKE] = { ACTOR_TAKE },
  [ACTOR_IN_PLACE] = { ACTOR_IN_PLACE },
  [ACTOR_CANCEL] = { ACTOR_CANCEL },
  [ACTOR_ABANDON] = { ACTOR_ABANDON },
  [ACTOR_PARENT] = { ACTOR_PARENT, ACTOR_ORDER },
  [ACTOR_SHUT_PENDING] = { ACTOR_SHUT_PENDING },
  [ACTOR_SHUT_ALL] = { ACTOR_SHUT_ALL },
  [ACTOR_FLUSH] = { ACTOR_FLUSH },
  [ACTOR_ANSWER] = { ACTOR_ANSWER, ACTOR_PUBLISH },
  [ACTOR_PUBLISH] = { ACTOR_PUBLISH },
  [ACTOR_HOLD] = { ACTOR_HOLD },
  [ACTOR_RETURN] = { ACTOR_RETURN },
};

#define SET_UP_ANSWERS 2

static inline void
model_move (Model *model,
            Actor  actor)
{
  const Cell *cell = &cells[model->state][actor];

  if (!cell->possible)
    g_error ("claim-table.md: %s says that %s is not possible, but it happens",
             state_names[model->state], actor_names[actor]);

  if (!state_is_done (model->state) && state_is_done (cell->next))
    {
      model->outcome = cell->outcome;
      model->settler = actor;
    }
  model->state = cell->next;
}

static inline void
model_step (Model *model,
            Actor  actor,
            int    who)
{
  if (actor == ACTOR_ANSWER)
    {
      if (model->answerer >= 0)
        return;
      model->answerer = who;
    }
  if (actor == ACTOR_PUBLISH)
    {
      if (model->answerer != who || model->published)
        return;
      model->published = TRUE;
    }

  model_move (model, actor);
}

/* As the test brings every job to its end when its race is over. */
static inline void
model_finish (Model    model,
              Allowed  allowed)
{
  gboolean moved;

  if (model.answerer == SET_UP_ANSWERS)
    model_step (&model, ACTOR_PUBLISH, SET_UP_ANSWERS);

  do
    {
      static const Actor order[] = { ACTOR_SUBMIT, ACTOR_TAKE, ACTOR_ANSWER, ACTOR_RETURN };
      State before = model.state;
      guint i;

      for (i = 0; i < G_N_ELEMENTS (order) && model.state == before; i++)
        {
          if (!cells[model.state][order[i]].possible)
            continue;
          model_step (&model, order[i], SET_UP_ANSWERS);
          if (order[i] == ACTOR_ANSWER)
            model_step (&model, ACTOR_PUBLISH, SET_UP_ANSWERS);
        }
      moved = model.state != before;
    }
  while (moved);

  if (!state_is_done (model.state))
    g_error ("claim-table.md: a job stays %s for ever", state_names[model.state]);

  allowed[model.outcome] |= 1u << model.settler;
}

/* Nobody waits for these before the job is brought to its end, so they may come later. */
static inline gboolean
actor_may_be_late (Actor actor)
{
  return actor == ACTOR_ORDER || actor == ACTOR_TAKE || actor == ACTOR_IN_PLACE;
}

/* All orders of what is left for the two to do. */
static inline void
model_race (const Model *model,
            const Actor  actors[2],
            const guint  done[2],
            Allowed      allowed)
{
  gboolean may_finish = TRUE;
  int who;

  for (who = 0; who < 2; who++)
    {
      Actor actor = done[who] < N_STEPS ? steps[actors[who]][done[who]] : ACTOR_NONE;
      guint then_done[2] = { done[0], done[1] };
      Model then = *model;

      if (actor == ACTOR_NONE)
        continue;
      if (!actor_may_be_late (actor))
        may_finish = FALSE;

      then_done[who]++;
      /* A publish of its own is one that whoever set the race up has begun. */
      model_step (&then, actor, actors[who] == ACTOR_PUBLISH ? SET_UP_ANSWERS : who);
      model_race (&then, actors, then_done, allowed);
    }

  if (may_finish)
    model_finish (*model, allowed);
}

static inline gboolean
state_is_answering (State state)
{
  return state == STATE_REFUSING || state == STATE_ANSWERING || state == STATE_ANSWERING_ABANDONED
         || state == STATE_HELD_ANSWERING;
}

/* What @actors may lead to from @state. */
static inline void
race_table_get_allowed (State       state,
                        const Actor actors[2],
                        Allowed     allowed)
{
  static const guint none[2];
  Model model = { .state = state, .answerer = -1 };

  memset (allowed, 0, sizeof (Allowed));
  if (state_is_answering (state) || state == STATE_ANSWERED || state == STATE_DONE)
    model.answerer = SET_UP_ANSWERS;
  model.published = !state_is_answering (state);
  if (state_is_done (state))
    model.outcome = state == STATE_DONE ? OUTCOME_VALUE : OUTCOME_CANCELLED;

  /* If nobody has answered yet, neither has anybody published. */
  if (model.answerer < 0)
    model.published = FALSE;

  model_race (&model, actors, none, allowed);
}
