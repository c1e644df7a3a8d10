/// Plugin "products": one space for products on pages, in short videos and in live streams.
#include "stream/plugin.hpp"
#include "products/products_cope.hpp"
#include "products/products_index.hpp"
#include "products/products_made.hpp"
#include "products/products_train.hpp"
#include "products/study_cope.hpp"

STREAM_PLUGIN("products", stream::products::PagesSource, stream::products::ShowSource,
              stream::products::CopeTrainSource, stream::products::CopeIndexSource,
              stream::products::CopeOperator, stream::products::CopeStudy);
