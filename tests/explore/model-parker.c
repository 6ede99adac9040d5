/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* The parker: a wake-up is kept when it comes first, or together with the deadline. */

#include "config.h"

#include "explore-models.h"

typedef struct
{
  ConcurParker parker;
  guint n_woken;
} ParkerModel;

static gpointer
setup (void)
{
  ParkerModel *model = g_new0 (ParkerModel, 1);

  concur_parker_init (&model->parker);
  explore_label (&model->parker.word, "parker");

  return model;
}

static void
park_once (gpointer data)
{
  ParkerModel *model = data;

  explore_check (concur_parker_park (&model->parker, -1));
  model->n_woken++;
}

/* Gives up at times, and then waits again for what must still come. */
static void
park_patiently (gpointer data)
{
  ParkerModel *model = data;

  if (!concur_parker_park (&model->parker, concur_deadline (1000)))
    explore_check (concur_parker_park (&model->parker, -1));
  model->n_woken++;
}

static void
unpark (gpointer data)
{
  ParkerModel *model = data;

  concur_parker_unpark (&model->parker);
}

static void
finish (gpointer data)
{
  explore_check (((ParkerModel *) data)->n_woken == 1);
}

#define PARKER_MODEL .setup = setup, .finish = finish, .teardown = g_free, .more = 2

const ExploreModel explore_parker_models[] = {
  {
    PARKER_MODEL,
    .name = "parker",
    .threads = { park_once, unpark, unpark },
    .spurious = TRUE,
  },
  {
    PARKER_MODEL,
    .name = "parker-timed",
    .threads = { park_patiently, unpark },
    .spurious = TRUE,
  },
  { NULL },
};
