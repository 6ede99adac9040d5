/*
 * SPDX-FileCopyrightText: 2026 The concur-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* All models: each file has a list, ended by an entry without a name. */

#pragma once

#include "explore.h"

extern const ExploreModel explore_toy_models[];
extern const ExploreModel explore_channel_models[];
extern const ExploreModel explore_derive_models[];
extern const ExploreModel explore_future_models[];
extern const ExploreModel explore_job_models[];
extern const ExploreModel explore_limiter_models[];
extern const ExploreModel explore_loop_models[];
extern const ExploreModel explore_loop_thread_models[];
extern const ExploreModel explore_parker_models[];
extern const ExploreModel explore_pool_models[];
extern const ExploreModel explore_queue_models[];
extern const ExploreModel explore_self_models[];
extern const ExploreModel explore_timer_models[];

/* So many of the next threads of a pool cannot be started. */
extern guint explore_supply_failures;

static const ExploreModel *const explore_models[] = {
  explore_self_models,
  explore_toy_models,
  explore_parker_models,
  explore_queue_models,
  explore_future_models,
  explore_job_models,
  explore_derive_models,
  explore_loop_models,
  explore_loop_thread_models,
  explore_pool_models,
  explore_timer_models,
  explore_limiter_models,
  explore_channel_models,
};
